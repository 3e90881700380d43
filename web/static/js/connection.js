/* The connection's state, the age of the newest data, and the banner when live data stops. */
import { get as ask } from "./api.js";
import { now, onTick } from "./clock.js";
import { setAttr, setText, show } from "./dom.js";
import { clock, span } from "./format.js";
import { t } from "./i18n.js";
import { live } from "./live.js";
import * as store from "./store.js";

const SILENT_FOR_MS = 5000;
// With a working socket a reading may be this late before it is called missing.
const LATE_FOR_MS = 10000;

export function startConnection() {
  const box = document.querySelector("[data-conn]");
  const banner = document.querySelector("[data-banner]");
  const startedAt = now();
  store.on("connection", () => draw(box, banner, startedAt));
  store.on("source:redis", () => draw(box, banner, startedAt));
  store.on("ask-session", () => ask("/auth/me").catch(() => {}));
  onTick(() => draw(box, banner, startedAt));
  banner.querySelector("[data-banner-retry]").addEventListener("click", () => live.now());
}

function draw(box, banner, startedAt) {
  const { state, nextAt } = store.get("connection") ?? { state: "connecting" };
  setAttr(box, "data-state", state);
  setText(box.querySelector("[data-conn-state]"), t(`conn.${state.replace("-", "_")}`));
  const newest = newestAt();
  setText(box.querySelector("[data-conn-age]"), newest ? span(Math.max(0, now() - newest)) : "");
  const silentMs = now() - (newest ?? startedAt);
  const cut = state !== "live" || store.get("source:redis") === "down";
  const stopped = silentMs > (cut ? SILENT_FOR_MS : LATE_FOR_MS);
  drawBanner(banner, { over: state === "signed-out", stopped, connected: state === "live", newest, nextAt });
}

function newestAt() {
  const collected = store.get("system")?.meta?.collected_at;
  return collected ? Date.parse(collected) : null;
}

function drawBanner(banner, { over, stopped, connected, newest, nextAt }) {
  const text = over
    ? t("conn.session_over")
    : newest
      ? t("conn.stopped", { time: clock(newest - now() + Date.now()) })
      : t("conn.never");
  if (over || stopped) setText(banner.querySelector("[data-banner-text]"), text);
  const left = nextAt ? Math.max(0, Math.ceil((nextAt - Date.now()) / 1000)) : 0;
  setText(banner.querySelector("[data-banner-count]"), left && !over ? t("conn.retry_in", { n: left }) : "");
  show(banner.querySelector("[data-banner-retry]"), !over && !connected);
  show(banner.querySelector("[data-banner-login]"), over);
  show(banner, over || stopped);
}
