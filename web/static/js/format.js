/* Numbers as people read them, the same as web/readable.py writes them. Unknown is "–", never 0. */
import { t } from "./i18n.js";

export const UNKNOWN = "–";
const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
const THIN = "\u202f";
const SPACE = "\u00a0";
const GIB = 1024 ** 3;

export const isNumber = (value) => typeof value === "number" && Number.isFinite(value);

function split(text, unit) {
  const dot = text.indexOf(".");
  return dot < 0
    ? { whole: text, fraction: "", unit }
    : { whole: text.slice(0, dot), fraction: text.slice(dot), unit };
}

export function percentParts(value) {
  return isNumber(value) ? split(value.toFixed(1), "%") : { whole: UNKNOWN, fraction: "", unit: "" };
}

export function sizeParts(bytes, per = "") {
  if (!isNumber(bytes)) return { whole: UNKNOWN, fraction: "", unit: "" };
  let value = bytes;
  let step = 0;
  while (Math.abs(value) >= 999.5 && step < UNITS.length - 1) {
    value /= 1024;
    step += 1;
  }
  const size = Math.abs(value);
  const decimals = step === 0 || size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2;
  return split(value.toFixed(decimals), UNITS[step] + per);
}

export const rateParts = (bytesPerS) => sizeParts(bytesPerS, "/s");

const joined = ({ whole, fraction, unit }) => (unit ? `${whole}${fraction}${SPACE}${unit}` : whole + fraction);

export const percent = (value) => joined(percentParts(value));
export const size = (bytes) => joined(sizeParts(bytes));
export const rate = (bytesPerS) => joined(rateParts(bytesPerS));
export const gibParts = (value) => sizeParts(isNumber(value) ? value * GIB : null);
export const gib = (value) => joined(gibParts(value));
export const load = (value) => (isNumber(value) ? value.toFixed(2) : UNKNOWN);

export function sizeOf(used, total) {
  return isNumber(used) && isNumber(total) ? `${size(used)} / ${size(total)}` : UNKNOWN;
}

export function gibOf(used, total) {
  return isNumber(used) && isNumber(total) ? sizeOf(used * GIB, total * GIB) : UNKNOWN;
}

export function number(value) {
  return isNumber(value) ? String(Math.round(value)).replace(/\B(?=(\d{3})+(?!\d))/g, THIN) : UNKNOWN;
}

export function duration(seconds) {
  if (!isNumber(seconds) || seconds < 0) return UNKNOWN;
  const all = Math.round(seconds);
  const two = (part) => String(part).padStart(2, "0");
  const hours = Math.floor(all / 3600);
  const minutes = Math.floor(all / 60) % 60;
  if (hours >= 24) return `${Math.floor(hours / 24)}d ${two(hours % 24)}h`;
  return hours ? `${hours}:${two(minutes)}:${two(all % 60)}` : `${minutes}:${two(all % 60)}`;
}

/** A time of day, with its date unless that is today. */
export function moment(timestamp) {
  const at = new Date(timestamp ?? NaN);
  if (Number.isNaN(at.getTime())) return "";
  if (at.toDateString() === new Date().toDateString()) return clock(at);
  const date = [at.getFullYear(), at.getMonth() + 1, at.getDate()].map((part) => String(part).padStart(2, "0")).join("-");
  return `${date} ${clock(at)}`;
}

/** How often something happens. */
export const perS = (value) => (isNumber(value) ? `${value.toFixed(value < 1 ? 2 : 1)}${SPACE}/s` : UNKNOWN);

/** How long something took. */
export function took(ms) {
  if (!isNumber(ms)) return UNKNOWN;
  return ms < 999.5 ? `${Math.round(ms)}${SPACE}ms` : `${(ms / 1000).toFixed(1)}${SPACE}s`;
}

/** How full something is: "", "warn" from 85 %, "bad" from 95 %. */
export function level(value) {
  if (!isNumber(value) || value < 85) return "";
  return value >= 95 ? "bad" : "warn";
}

/** A span of time in one unit; `kind` is "age" (short) or "ago" (as a phrase). */
export function span(ms, kind = "age") {
  const s = Math.floor(ms / 1000);
  if (s < 1) return t(`${kind}.now`);
  if (s < 60) return t(`${kind}.s`, { n: s });
  if (s < 3600) return t(`${kind}.min`, { n: Math.floor(s / 60) });
  if (s < 86400) return t(`${kind}.h`, { n: Math.floor(s / 3600) });
  return t(`${kind}.d`, { n: Math.floor(s / 86400) });
}

export function clock(ms, { seconds = true } = {}) {
  const at = new Date(ms);
  const parts = [at.getHours(), at.getMinutes(), ...(seconds ? [at.getSeconds()] : [])];
  return parts.map((part) => String(part).padStart(2, "0")).join(":");
}
