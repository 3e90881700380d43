/* What deliveries and their attempts are called, the same as web/delivery_words.py writes them. */
import { now } from "./clock.js";
import { duration, isNumber, moment } from "./format.js";
import { has, t } from "./i18n.js";

const CANCELLABLE = ["pending", "retrying", "sending"];
const RETRYABLE = ["pending", "retrying", "dead", "cancelled"];

export const canCancel = ({ status, cancel_requested: asked }) => CANCELLABLE.includes(status) && !asked;
export const canRetry = ({ status }) => RETRYABLE.includes(status);
export const waits = ({ status }) => status === "pending" || status === "retrying";

export function retryText({ status, attempt_count: count }) {
  if (status === "dead" || status === "cancelled") return t("action.resend");
  return count ? t("action.retry_now") : t("action.send_now");
}

/** What comes next for a delivery and when, or how it ended. */
export function nextText(delivery) {
  const { status, attempt_count: n } = delivery;
  if (status === "sending") return delivery.cancel_requested ? t("next.cancel_asked") : t("next.sending", { n });
  if (waits(delivery)) return waitText(Date.parse(delivery.next_attempt_at) - now());
  return t(`next.${status}`, { n, time: moment(delivery.finished_at) });
}

function waitText(ms) {
  return ms > 0 ? t("next.in", { time: duration(Math.ceil(ms / 1000)) }) : t("next.due");
}

export function outcomeText({ outcome }) {
  const key = `outcome.${outcome ?? "running"}`;
  return t(has(key) ? key : "outcome.unknown");
}

/** What an attempt led to. */
export function thenText({ next_state: state, next_attempt_at: at, retry_after_s: wait, finished_at: end }) {
  if (state === "dead" || state === "cancelled") return t(`then.${state}`);
  if (state === "retrying") {
    if (wait && at) return t("then.retry_after", { time: moment(at), wait: duration(wait) });
    return at ? t("then.retry", { time: moment(at) }) : t("then.retry_soon");
  }
  return end && !state ? t("then.lost") : "";
}

/** What a media folder holds; the folder's name when that is not known. */
export const rootName = (kind, path) => (has(`root.${kind}`) ? t(`root.${kind}`) : String(path ?? "").split("/").at(-1));

/** `Title (2001)` or `Title S01E02`; the same as web/library_paint.py writes. */
export function workText({ kind, title, year, season, episode }) {
  const part = (letter, n) => (isNumber(n) ? letter + String(n).padStart(2, "0") : "");
  const place = kind === "movie" ? (year ? `(${year})` : "") : part("S", season) + part("E", episode);
  return [title, place].filter(Boolean).join(" ");
}

export const qualityText = ({ quality }) => wordOf("quality", quality);

export const wordOf = (kind, value) => (has(`${kind}.${value}`) ? t(`${kind}.${value}`) : (value ?? ""));

/** An error for people: a conflict names the state that was found instead. */
export function faultOf(error) {
  const state = error.details?.status;
  if (error.status !== 409 || !state) return error.message;
  return t("action.conflict", { state: wordOf(has(`delivery.${state}`) ? "delivery" : "status", state) });
}
