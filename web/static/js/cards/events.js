/* What happened lately, newest first. */
import { now, onTick } from "../clock.js";
import { Rows, setAttr, setSlot, setText, show, slot } from "../dom.js";
import { UNKNOWN, span } from "../format.js";
import { has, t } from "../i18n.js";
import * as store from "../store.js";
import { tile } from "../tile.js";
import { rootName } from "../words.js";

const MOST = 8;
let rows = null;

export function start() {
  const root = tile("events", draw);
  onTick(() => {
    const held = store.get("dashboard")?.data;
    if (held) draw(held, root);
  });
}

function draw(data, root) {
  rows ??= new Rows(root.querySelector("[data-list]"), root.querySelector('template[data-row="event"]'), drawRow);
  const events = data.recent_events;
  rows.update((events ?? []).slice(0, MOST), (event) => `${event.kind ?? ""}:${event.id ?? event.at}`);
  const empty = root.querySelector("[data-empty]");
  setText(empty, events ? t("events.empty") : UNKNOWN);
  show(empty, !events?.length);
}

/** An event of ours is told in the reader's language; all others in the words they came with. */
function titleOf(event) {
  const key = `event.${event.kind}`;
  const { data } = event;
  if (!has(key) || !data) return event.title ?? "";
  return t(key, { ...data, root: rootName(data.root_kind, data.root), n: data.total });
}

function drawRow(row, event) {
  setAttr(row, "data-type", event.type ?? "info");
  const title = titleOf(event);
  setSlot(row, "title", title);
  setAttr(slot(row, "title"), "title", title);
  const place = slot(row, "place");
  setText(place, event.data?.root ?? "");
  setAttr(place, "title", event.data?.root ?? "");
  setSlot(row, "when", span(Math.max(0, now() - Date.parse(event.at)), "ago"));
}
