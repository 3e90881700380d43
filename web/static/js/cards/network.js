/* Network: bytes/s in and out with the last hour by minutes, and the totals since boot. */
import { setAttr, setFigure, setSlot } from "../dom.js";
import { isNumber, rateParts, size } from "../format.js";
import * as store from "../store.js";
import { tile } from "../tile.js";

const MINUTES = 60;
const FIELDS = { down: "network_recv_bps", up: "network_sent_bps" };
const minutes = new Map(); // minute -> { down: [sum, n], up: [sum, n] }
let lastAt = 0;

export function start() {
  const root = tile("network", draw);
  store.on("history", (points) => {
    for (const point of points) add(point.at, point);
    drawSparks(root);
  });
}

function draw(data, root, meta) {
  const at = Date.parse(meta.collected_at);
  if (at > lastAt) add(at, data);
  lastAt = Math.max(lastAt, at || 0);
  for (const [way, field] of Object.entries(FIELDS)) setFigure(root, way, rateParts(data[field]));
  drawSparks(root);
  setSlot(root, "recv", `↓ ${size(data.network_recv)}`);
  setSlot(root, "sent", `↑ ${size(data.network_sent)}`);
}

function add(at, values) {
  const minute = Math.floor(at / 60000);
  const held = minutes.get(minute) ?? { down: [0, 0], up: [0, 0] };
  for (const [way, field] of Object.entries(FIELDS)) {
    if (isNumber(values[field])) held[way] = [held[way][0] + values[field], held[way][1] + 1];
  }
  minutes.set(minute, held);
}

function drawSparks(root) {
  const newest = Math.max(...minutes.keys());
  for (const minute of minutes.keys()) if (minute <= newest - MINUTES) minutes.delete(minute);
  for (const way of Object.keys(FIELDS)) {
    const values = Array.from({ length: MINUTES }, (_, index) => average(minutes.get(newest - MINUTES + 1 + index)?.[way]));
    setAttr(root.querySelector(`[data-spark="${way}"] path`), "d", line(values));
  }
}

const average = (held) => (held?.[1] ? held[0] / held[1] : null);

/** A line through the known values, scaled to their peak; an unknown one is a gap. */
function line(values) {
  const peak = Math.max(1, ...values.filter(isNumber));
  const point = (value, index) => `${index + 1} ${(19 - (18 * value) / peak).toFixed(2)}`;
  return values
    .map((value, index) => (isNumber(value) ? `${isNumber(values[index - 1]) ? "L" : "M"}${point(value, index)}` : ""))
    .join("");
}
