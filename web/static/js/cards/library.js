/* The library: counts, size, quality, and the progress and end of scans. */
import * as api from "../api.js";
import { Rows, setAttr, setBar, setFigure, setSlot, setText, show, slot } from "../dom.js";
import { gibParts, isNumber, number } from "../format.js";
import { t } from "../i18n.js";
import * as store from "../store.js";
import { tile } from "../tile.js";
import { toast } from "../toast.js";
import { qualityText, rootName, workText } from "../words.js";

const FIELDS = { movies: "total_movies", tv: "total_tv_shows", anime: "total_anime", episodes: "total_episodes" };
const RUNNING = new Set(["queued", "running"]);
const QUALITIES = ["2160p", "1080p", "720p", "480p", "unknown"];
const CHANGES = ["added", "changed", "removed"];
const FORGOTTEN_AFTER_MS = 15000;
const RECENT = 4;
let recents = null;
// Whether a scan is just being asked for, and which were, until this page has told how they ended.
let asking = false;
let asked = null;

export function start() {
  const card = document.querySelector('[data-card="library"]');
  if (card) recents = new Rows(card.querySelector("[data-recent]"), card.querySelector('template[data-row="recent"]'), drawRecent);
  const root = tile("library", draw);
  const scans = new Rows(root.querySelector("[data-scans]"), root.querySelector('template[data-row="scan"]'), drawScan);
  store.on("music", ({ data }) => setSlot(root, "tracks", number(data?.total_tracks)));
  const button = root.querySelector("[data-scan]");
  store.on("dashboard", ({ data, meta }) => {
    const running = (data?.library_scans ?? []).filter((scan) => RUNNING.has(scan.state));
    scans.update(running, (scan) => scan.root);
    if (asked) tellEnd(data ?? {}, Date.parse(meta.collected_at));
    setBusy(button, running.length > 0 || asking || asked !== null);
  });
  button.addEventListener("click", () => scan(button));
}

function draw(data, root, meta) {
  for (const [name, field] of Object.entries(FIELDS)) setSlot(root, name, number(data[field]));
  setFigure(root, "size", gibParts(data.total_size_gb));
  drawQuality(root.querySelector("[data-quality]"), data.by_quality ?? {});
  const music = store.get("music")?.meta?.status ?? "unconfigured";
  const off = meta.status === "unconfigured" && music === "unconfigured";
  drawGrowth(root, data.growth);
  const recent = (data.recently_added ?? []).slice(0, RECENT);
  recents.update(recent, (item) => item.id);
  show(root.querySelector("[data-recents]"), recent.length > 0);
  for (const name of ["shelf", "grown", "more"]) show(root.querySelector(`[data-${name}]`), !off);
  show(root.querySelector("[data-how]"), off);
  show(root.querySelector("[data-scan]"), !off);
}

function drawRecent(row, item) {
  setAttr(row, "data-kind", item.kind);
  const picture = slot(row, "poster");
  if (item.poster) setAttr(picture, "src", item.poster);
  picture.onerror = () => show(picture, false);
  show(picture, Boolean(item.poster));
  setSlot(row, "title", workText(item));
  setSlot(row, "quality", qualityText(item));
}

/** What came within 30 days, and the sizes by day; the same as web/library_paint.py writes. */
function drawGrowth(root, growth) {
  const n = growth?.files_30d;
  const key = n > 0 ? "grown" : n < 0 ? "shrunk" : "level";
  setText(root.querySelector("[data-grown-text]"), isNumber(n) ? t(`library.${key}`, { n: Math.abs(n) }) : t("library.growth_unknown"));
  const points = growthPoints(growth?.days ?? []);
  setAttr(root.querySelector(".grown-line polyline"), "points", points);
  // SVG elements have no `hidden` of their own.
  root.querySelector(".grown-line").toggleAttribute("hidden", !points);
}

function growthPoints(days) {
  if (days.length < 2) return "";
  const at = days.map(({ day }) => Date.parse(day));
  const sizes = days.map((day) => day.size_gb);
  const low = Math.min(...sizes);
  const span = Math.max(...sizes) - low || 1;
  const way = at.at(-1) - at[0];
  return days.map((_, n) => `${((100 * (at[n] - at[0])) / way).toFixed(1)},${(22 - (20 * (sizes[n] - low)) / span).toFixed(1)}`).join(" ");
}

function drawScan(row, scan) {
  const known = isNumber(scan.total) && scan.total > 0;
  const done = known ? (100 * scan.done) / scan.total : null;
  setSlot(row, "root", rootName(scan.kind, scan.root));
  setAttr(slot(row, "root"), "title", scan.root);
  setSlot(row, "state", scan.state === "queued" ? t("library.queued") : known ? `${number(scan.done)} / ${number(scan.total)}` : t("library.scanning"));
  setBar(row.querySelector(".bar"), done);
  setAttr(row.querySelector(".bar"), "aria-valuenow", done === null ? "" : Math.floor(done));
}

/** One bar of all files, and below it what its parts are; the same as web/first_paint.py draws. */
function drawQuality(box, counts) {
  const parts = QUALITIES.filter((name) => counts[name] > 0);
  const all = parts.reduce((sum, name) => sum + counts[name], 0);
  show(box, all > 0);
  let from = 0;
  for (const name of QUALITIES) {
    const count = counts[name] ?? 0;
    const width = all ? (100 * count) / all : 0;
    const fill = box.querySelector(`rect[data-part="${name}"]`);
    setAttr(fill, "x", `${from}%`);
    setAttr(fill, "width", `${width}%`);
    from += width;
    const entry = box.querySelector(`li[data-part="${name}"]`);
    show(entry, count > 0);
    setSlot(entry, "count", number(count));
  }
}

function setBusy(button, busy) {
  button.disabled = busy;
  setAttr(button, "aria-busy", busy);
  setText(button, t(busy ? "library.scan_busy" : "library.scan"));
}

async function scan(button) {
  asking = true;
  setBusy(button, true);
  try {
    const { data, timestamp } = await api.post("/library/scan", {});
    asked = { ids: data.map(({ id }) => id), at: Date.parse(timestamp) };
  } catch (error) {
    toast({ title: t("action.failed"), text: error.message, type: "error" });
    setBusy(button, false);
  } finally {
    asking = false;
  }
}

/** Says once how the scans ended that were asked for here. */
function tellEnd({ library_scans: scans, recent_events: events }, collectedAt) {
  const found = asked.ids.map((id) => (scans ?? []).find((one) => one.id === id));
  // A reading can be older than the question; one that was asked for long ago is told by a newer scan.
  const isOver = (one) => (one ? !RUNNING.has(one.state) : collectedAt > asked.at + FORGOTTEN_AFTER_MS);
  if (!found.every(isOver)) return;
  const results = (events ?? []).filter(({ data }) => asked.ids.includes(data?.scan_id)).map(({ data }) => data);
  const failed = found.find((one) => one?.state === "failed");
  asked = null;
  if (failed) toast({ title: t("library.scan_failed"), text: failed.error ?? "", type: "error" });
  else toast({ title: t("library.scan_done"), text: changesText(results), type: "success" });
}

function changesText(results) {
  const sums = CHANGES.map((name) => [name, results.reduce((sum, one) => sum + (one[name] ?? 0), 0)]);
  return sums.filter(([, n]) => n > 0).map(([name, n]) => t(`library.${name}`, { n })).join(" · ") || t("library.unchanged");
}
