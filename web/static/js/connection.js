/* The connection's state, the age of the newest data, and the banner when live data stops. */
import { get as ask } from "./api.js";
import { boot } from "./boot.js";
import { now, onTick } from "./clock.js";
import { setAttr, setText, show } from "./dom.js";
import { clock, span } from "./format.js";
import { t } from "./i18n.js";
import { live } from "./live.js";
import * as store from "./store.js";

// The pill's and a tile's measure: a reading is late after two and a half intervals.
const DELAYED_AFTER_MS = 2.5 * 1000 * (boot.intervals?.system ?? 2);
const SILENT_FOR_MS = 5000;
// With a working socket a reading may be this late before it is called missing.
const LATE_FOR_MS = 10000;

export function startConnection() {
  const box = document.querySelector("[data-conn]");
  const banner = document.querySelector("[data-banner]");
  const startedAt = now();
  store.on("connection", () => draw(box, banner, startedAt));
  store.on("source:redis", () => draw(box, banner, startedAt));
  store.on("resumed", () => draw(box, banner, startedAt));
  store.on("ask-session", () => ask("/auth/me").catch(() => {}));
  onTick(() => draw(box, banner, startedAt));
  banner.querySelector("[data-banner-retry]").addEventListener("click", () => live.now());
}

function draw(box, banner, startedAt) {
  const { state, nextAt } = store.get("connection") ?? { state: "connecting" };
  const newest = newestAt();
  const silentMs = now() - (newest ?? startedAt);
  drawPill(box, state === "live" && silentMs > DELAYED_AFTER_MS ? "delayed" : state, newest);
  const redisDown = store.get("source:redis") === "down";
  const missedMs = Math.min(silentMs, now() - (store.get("resumed") ?? -Infinity));
  const stopped = missedMs > (state !== "live" || redisDown ? SILENT_FOR_MS : LATE_FOR_MS);
  drawBanner(banner, { over: state === "signed-out", stopped, redisDown, connected: state === "live", newest, nextAt });
}

function drawPill(box, state, newest) {
  setAttr(box, "data-state", state);
  setText(box.querySelector("[data-conn-state]"), t(`conn.${state.replace("-", "_")}`));
  setText(box.querySelector("[data-conn-age]"), newest ? span(Math.max(0, now() - newest)) : "");
}

function newestAt() {
  const collected = store.get("system")?.meta?.collected_at;
  return collected ? Date.parse(collected) : null;
}

function drawBanner(banner, { over, stopped, redisDown, connected, newest, nextAt }) {
  if (over || stopped) setText(banner.querySelector("[data-banner-text]"), bannerText(over, redisDown, newest));
  const left = nextAt ? Math.max(0, Math.ceil((nextAt - Date.now()) / 1000)) : 0;
  setText(banner.querySelector("[data-banner-count]"), left && !over ? t("conn.retry_in", { n: left }) : "");
  show(banner.querySelector("[data-banner-retry]"), !over && !connected);
  show(banner.querySelector("[data-banner-login]"), over);
  show(banner, over || stopped);
}

function bannerText(over, redisDown, newest) {
  if (over) return t("conn.session_over");
  if (!newest) return t(redisDown ? "conn.never_redis" : "conn.never");
  const time = clock(newest - now() + Date.now());
  return redisDown ? t("conn.stopped_redis", { time }) : t("conn.stopped", { time });
}
