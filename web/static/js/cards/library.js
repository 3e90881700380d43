/* The library: counts, size, and the progress of scans. */
import * as api from "../api.js";
import { Rows, setAttr, setBar, setFigure, setSlot, show, slot } from "../dom.js";
import { gibParts, isNumber, number } from "../format.js";
import { t } from "../i18n.js";
import * as store from "../store.js";
import { tile } from "../tile.js";
import { toast } from "../toast.js";
import { rootName } from "../words.js";

const FIELDS = { movies: "total_movies", tv: "total_tv_shows", anime: "total_anime", episodes: "total_episodes" };
const RUNNING = new Set(["queued", "running"]);

export function start() {
  const root = tile("library", draw);
  const scans = new Rows(root.querySelector("[data-scans]"), root.querySelector('template[data-row="scan"]'), drawScan);
  store.on("music", ({ data }) => setSlot(root, "tracks", number(data?.total_tracks)));
  store.on("dashboard", ({ data }) => {
    const running = (data?.library_scans ?? []).filter((scan) => RUNNING.has(scan.state));
    scans.update(running, (scan) => scan.root);
    root.querySelector("[data-scan]").disabled = running.length > 0;
  });
  root.querySelector("[data-scan]").addEventListener("click", (event) => scan(event.currentTarget));
}

function draw(data, root, meta) {
  for (const [name, field] of Object.entries(FIELDS)) setSlot(root, name, number(data[field]));
  setFigure(root, "size", gibParts(data.total_size_gb));
  const music = store.get("music")?.meta?.status ?? "unconfigured";
  const off = meta.status === "unconfigured" && music === "unconfigured";
  show(root.querySelector("[data-shelf]"), !off);
  show(root.querySelector("[data-how]"), off);
  show(root.querySelector("[data-scan]"), !off);
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

async function scan(button) {
  button.disabled = true;
  try {
    await api.post("/library/scan", {});
    toast({ title: t("library.scan_started"), type: "success" });
  } catch (error) {
    toast({ title: t("action.failed"), text: error.message, type: "error" });
    button.disabled = false;
  }
}
