/* Downloads: counts, speeds, what each client says, and the list. */
import { drawActs, keyOf, stateText } from "../download-acts.js";
import { Rows, setAttr, setBar, setFigure, setSlot, setText, show } from "../dom.js";
import { UNKNOWN, duration, isNumber, number, percent, rate, rateParts, size } from "../format.js";
import { t } from "../i18n.js";
import * as store from "../store.js";
import { tile } from "../tile.js";

const MOST = 50;
const ORDER = ["error", "downloading", "metadata", "checking", "moving", "stalled", "queued", "paused", "seeding"];
let items = null;
let clients = null;

export const start = () => tile("downloads", draw);

function draw(data, root, meta) {
  items ??= new Rows(root.querySelector("[data-list]"), root.querySelector('template[data-row="item"]'), drawItem);
  clients ??= new Rows(root.querySelector("[data-clients]"), root.querySelector('template[data-row="client"]'), drawClient);
  for (const name of ["active", "paused", "completed", "failed"]) setSlot(root, name, number(data[name]));
  setFigure(root, "down", rateParts(data.download_bps));
  setFigure(root, "up", rateParts(data.upload_bps));
  clients.update(Object.entries(data.downloaders ?? {}), ([name]) => name);
  drawList(root, (data.items ?? []).filter((item) => item.state !== "completed"));
  const off = meta.status === "unconfigured";
  show(root.querySelector("[data-counts]"), !off);
  show(root.querySelector("[data-how]"), off);
  show(root.querySelector("[data-empty]"), !off && meta.status === "ok" && !data.items?.length);
}

function drawList(root, wanted) {
  const sorted = wanted.sort((a, b) => rank(a) - rank(b) || String(a.name).localeCompare(String(b.name)));
  items.update(sorted.slice(0, MOST), keyOf);
  const more = root.querySelector("[data-more]");
  show(more, sorted.length > MOST);
  setText(more, t("downloads.more", { n: sorted.length - MOST }));
}

const rank = ({ state }) => (ORDER.includes(state) ? ORDER.indexOf(state) : ORDER.length);

function drawItem(row, item) {
  const done = isNumber(item.progress) ? item.progress * 100 : null;
  setAttr(row, "data-state", item.state);
  setSlot(row, "name", item.name || UNKNOWN);
  setSlot(row, "percent", percent(done));
  const bar = row.querySelector(".bar");
  setBar(bar, done);
  setAttr(bar, "aria-label", item.name);
  setAttr(bar, "aria-valuenow", done === null ? "" : Math.floor(done));
  setSlot(row, "state", stateText(item));
  drawActs(row, item, store.get("downloads")?.data?.downloaders, () => drawItem(row, item));
  setSlot(row, "size", size(item.size_bytes));
  setSlot(row, "instance", item.instance ?? "");
  setSlot(row, "down", `↓ ${rate(item.download_bps)}`);
  setSlot(row, "up", `↑ ${rate(item.upload_bps)}`);
  setSlot(row, "eta", duration(item.eta_s));
}

function drawClient(row, [name, client]) {
  setAttr(row, "data-state", client.status);
  setSlot(row, "name", name);
  setSlot(row, "version", client.version ?? "");
}
