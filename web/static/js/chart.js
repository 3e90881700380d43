/* CPU and memory of the last hour: what is stored, then every live reading; gaps stay gaps. */
import { setText } from "./dom.js";
import { clock, isNumber, percent } from "./format.js";
import * as store from "./store.js";

const HOUR_S = 3600;
const HEIGHT = 240;
const GAP_S = 90;
const POINT_S = 20;

class HourChart {
  constructor(root) {
    this.root = root;
    this.tile = root.closest("[data-card]");
    this.rows = []; // [epoch s, cpu, memory], oldest first
    this.plot = null;
    this.latest = null;
    this.open = null; // the point that live readings are averaged into
  }

  start() {
    store.on("system", ({ data, meta }) => this.append(data, meta));
    new ResizeObserver(() => this.plot?.setSize(this.box())).observe(this.root);
    store.on("history", (points) => this.take(points));
    this.build();
  }

  take(points) {
    const rows = points.map(({ at, cpu_usage, memory_usage }) => [at / 1000, orNull(cpu_usage), orNull(memory_usage)]);
    // The newest minute is stored a little late: no gap yet.
    while (rows.length && rows.at(-1)[1] === null) rows.pop();
    const newest = rows.at(-1)?.[0] ?? 0;
    this.rows = [...rows, ...this.rows.filter(([at]) => at > newest)];
    this.open = null;
    this.draw();
  }

  append(data, meta) {
    const at = Date.parse(meta?.collected_at) / 1000;
    const last = this.rows.at(-1)?.[0] ?? 0;
    if (!data || !(at > last)) return;
    if (last && at - last > GAP_S) this.rows.push([at - 1, null, null]);
    this.latest = [at, orNull(data.cpu_usage), orNull(data.memory_usage)];
    this.fill(this.latest);
    this.showLatest();
    if (!document.hidden) this.draw();
  }

  /** Adds a reading to the newest point until that is full: raw readings beside averages would look like a storm. */
  fill([at, cpu, memory]) {
    const bucket = Math.floor(at / POINT_S);
    if (!this.open || this.open.bucket !== bucket) {
      this.open = { bucket, n: 0, row: [at, null, null] };
      this.rows.push(this.open.row);
    }
    this.open.n += 1;
    const { row, n } = this.open;
    row[0] = at;
    [cpu, memory].forEach((value, index) => {
      if (value !== null) row[index + 1] = (row[index + 1] ?? value) + (value - (row[index + 1] ?? value)) / n;
    });
  }

  draw() {
    const end = this.rows.at(-1)?.[0] ?? Date.now() / 1000;
    while (this.rows.length && this.rows[0][0] < end - HOUR_S) this.rows.shift();
    const columns = [0, 1, 2].map((index) => this.rows.map((row) => row[index]));
    this.plot?.setData(columns, false);
    this.plot?.setScale("x", { min: end - HOUR_S, max: end });
  }

  /** Draws anew with the colours of the theme that holds now. */
  build() {
    this.plot?.destroy();
    this.plot = new uPlot(options(this.box(), (plot) => this.showCursor(plot)), [[], [], []], this.root);
    this.draw();
  }

  box() {
    return { width: Math.max(200, this.root.clientWidth), height: HEIGHT };
  }

  showCursor(plot) {
    const row = this.rows[plot.cursor.idx];
    this.looking = plot.cursor.idx !== null && plot.cursor.idx !== undefined;
    if (this.looking && row) this.showRow(row, clock(row[0] * 1000));
    else this.showLatest();
  }

  showLatest() {
    if (!this.looking && this.latest) this.showRow(this.latest, "");
  }

  showRow([, cpu, memory], time) {
    setText(this.tile.querySelector('[data-legend="cpu"]'), percent(cpu));
    setText(this.tile.querySelector('[data-legend="memory"]'), percent(memory));
    setText(this.tile.querySelector('[data-legend="time"]'), time);
  }
}

const orNull = (value) => (isNumber(value) ? value : null);

function options({ width, height }, onCursor) {
  const style = getComputedStyle(document.documentElement);
  const token = (name) => style.getPropertyValue(name).trim();
  const font = `11px ${token("--font")}`;
  const axis = { stroke: token("--ink-3"), font, ticks: { show: false } };
  const grid = { stroke: token("--line"), width: 1 };
  const line = (name, colour) => ({ label: name, stroke: colour, width: 1.5, fill: fade(colour), points: { show: false } });
  return {
    width,
    height,
    padding: [8, 18, 0, 0],
    legend: { show: false },
    cursor: { y: false, points: { size: 7 }, drag: { x: false, y: false } },
    hooks: { setCursor: [onCursor] },
    scales: { x: { time: true }, y: { range: [0, 100] } },
    axes: [
      { ...axis, grid: { show: false }, size: 28, space: 72, values: (_, at) => at.map((s) => clock(s * 1000, { seconds: false })) },
      { ...axis, grid, size: 34, splits: () => [0, 25, 50, 75, 100] },
    ],
    series: [{}, line("cpu", token("--cpu")), line("memory", token("--memory"))],
  };
}

/** A wash under the line that fades towards the axis. */
function fade(colour) {
  return (plot) => {
    const { top, height } = plot.bbox;
    if (!height) return "transparent";
    const wash = plot.ctx.createLinearGradient(0, top, 0, top + height);
    wash.addColorStop(0, `${colour}33`);
    wash.addColorStop(1, `${colour}05`);
    return wash;
  };
}

export function startChart() {
  const root = document.querySelector("[data-chart]");
  if (!root || typeof uPlot === "undefined") return { rebuild() {} };
  const chart = new HourChart(root);
  chart.start();
  return { rebuild: () => chart.build() };
}
