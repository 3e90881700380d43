/* What every tile shows about itself: its age, whether that is too old, and what went wrong. */
import { boot } from "./boot.js";
import { now, onTick } from "./clock.js";
import { setAttr, setText, show } from "./dom.js";
import { clock, span } from "./format.js";
import { has, t } from "./i18n.js";
import * as store from "./store.js";

const INTERVALS_TOO_OLD = 2.5;
const TOLD_AFTER_MS = 10000;

/** Calls `draw` with each reading of the tile's source, and keeps its age and status. */
export function tile(card, draw) {
  const root = document.querySelector(`[data-card="${card}"]`);
  if (!root) return null;
  const source = root.dataset.source;
  let reading = null;
  store.on(source, (next) => {
    reading = next;
    if (next.data) draw(next.data, root, next.meta);
    showState(root, source, reading);
  });
  onTick(() => showState(root, source, reading));
  return root;
}

function showState(root, source, reading) {
  const meta = reading?.meta ?? {};
  const age = meta.collected_at ? Math.max(0, now() - Date.parse(meta.collected_at)) : null;
  const status = statusOf(source, meta, age);
  setAttr(root, "data-status", status);
  setText(root.querySelector("[data-age]"), age === null ? t("tile.waiting") : span(age));
  drawNote(root.querySelector("[data-note]"), status, meta, age);
}

function statusOf(source, meta, age) {
  if (meta.status && meta.status !== "ok") return meta.status;
  if (age === null) return "unknown";
  return age > INTERVALS_TOO_OLD * 1000 * (boot.intervals[source] ?? 5) ? "stale" : "ok";
}

function drawNote(note, status, meta, age) {
  const told = status === "error" || status === "stale";
  show(note, told);
  if (!told) return;
  const since = age === null ? t("tile.no_data") : t("tile.stale", { time: clock(Date.now() - age) });
  const [head, next] = meta.error ? [faultText(meta, ""), faultText(meta, ".next")] : [since, ""];
  const text = next && status === "stale" && age > TOLD_AFTER_MS ? `${next} ${since}.` : next;
  const key = `${head}\n${text}`;
  if (note.dataset.drawn === key) return;
  note.dataset.drawn = key;
  const strong = document.createElement("b");
  strong.textContent = head;
  note.replaceChildren(strong, text);
}

function faultText(meta, part) {
  const code = has(`fault.${meta.error_code}`) ? meta.error_code : "other";
  return t(`fault.${code}${part}`, { error: meta.error });
}
