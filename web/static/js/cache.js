/* Starts the cache's page: read anew every five seconds while it is looked at. */
import * as api from "./api.js";
import { boot } from "./boot.js";
import { confirm } from "./confirm.js";
import { Rows, setAttr, setSlot, setText, show } from "./dom.js";
import { UNKNOWN, isNumber, number, percent, size, took } from "./format.js";
import { t } from "./i18n.js";
import { startShell } from "./shell.js";
import { toast } from "./toast.js";
import { faultOf } from "./words.js";

const EVERY_MS = 5000;
const TIERS = ["memory", "redis", "database"];
const SVG = "http://www.w3.org/2000/svg";
const find = (name) => document.querySelector(`[data-${name}]`);
const share = (ratio) => percent(isNumber(ratio) ? 100 * ratio : null);

const rows = new Rows(find("list"), document.querySelector('template[data-row="prefix"]'), drawRow);

function drawRow(row, it) {
  setSlot(row, "prefix", it.prefix);
  setSlot(row, "ratio", share(it.hit_ratio));
  for (const name of ["hits", "misses", "stale", "builds"]) setSlot(row, name, number(it[name]));
  setSlot(row, "took", `${took(it.build_ms.p50)} / ${took(it.build_ms.p95)}`);
  for (const tier of TIERS) setSlot(row, `in-${tier}`, number(it.tiers[tier].entries));
  const button = row.querySelector('[data-act="forget"]');
  setAttr(button, "aria-label", t("cache.forget_one", { prefix: it.prefix }));
  button.onclick = () => forget(it.prefix);
}

function drawTier(it) {
  const card = document.querySelector(`[data-tier="${it.tier}"]`);
  setAttr(card, "data-up", it.up ? "yes" : "no");
  setSlot(card, "entries", number(it.entries));
  setSlot(card, "size", size(it.size_bytes));
  for (const name of ["hits", "evictions", "failures"]) setSlot(card, name, number(it[name]));
  setSlot(card, "down", it.up ? "" : t("cache.down"));
}

function drawHour(timeline) {
  const drawing = find("bars");
  while (drawing.children.length < timeline.length) drawing.append(document.createElementNS(SVG, "rect"));
  timeline.forEach((minute, at) => {
    const bar = drawing.children[at];
    const height = 100 * (minute.hit_ratio ?? 0);
    setAttr(bar, "x", (at * 100) / timeline.length);
    setAttr(bar, "y", 100 - height);
    setAttr(bar, "width", 1.2);
    setAttr(bar, "height", height);
  });
  const asked = timeline.reduce((sum, minute) => sum + minute.asked, 0);
  const hits = timeline.reduce((sum, minute) => sum + TIERS.reduce((all, tier) => all + minute.hits[tier], 0), 0);
  setText(find("hour"), t("cache.hour_sum", { ratio: asked ? share(hits / asked) : UNKNOWN, n: number(asked) }));
}

function draw(data) {
  show(find("fault"), !data);
  if (!data) return;
  data.tiers.forEach(drawTier);
  drawHour(data.timeline);
  rows.update(data.prefixes, (it) => it.prefix);
  show(find("empty"), !data.prefixes.length);
}

async function load() {
  try {
    draw((await api.get("/cache/stats?minutes=60")).data);
  } catch {
    draw(null);
  }
}

async function warm(button) {
  button.disabled = true;
  try {
    const done = (await api.post("/cache/warm")).data;
    toast({ title: t("cache.warmed", { n: done.length }), type: "success" });
    await load();
  } catch (error) {
    toast({ title: t("action.failed"), text: faultOf(error), type: "error" });
  }
  button.disabled = false;
}

function forget(prefix) {
  const words = { title: t("cache.forget_title"), text: t("cache.forget_text", { prefix }), yes: t("cache.forget") };
  confirm(words, async () => {
    await api.call("DELETE", `/cache?prefix=${encodeURIComponent(prefix)}`);
    await load();
  });
}

startShell({ topics: ["system", "notifications"] });
draw(boot.cache);
find("warm").addEventListener("click", (event) => warm(event.currentTarget));
setInterval(() => document.visibilityState === "visible" && load(), EVERY_MS);
