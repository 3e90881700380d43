/* Network: bytes/s in and out with the last two minutes, and the totals since boot. */
import { setAttr, setFigure, setSlot } from "../dom.js";
import { isNumber, rateParts, size } from "../format.js";
import { tile } from "../tile.js";

const KEPT = 60;
const VIRTUAL = ["veth", "docker", "br-", "virbr", "tap", "vnet", "cni", "flannel"];
const past = { down: [], up: [] };
let lastAt = "";

export const start = () => tile("network", draw);

function draw(data, root, meta) {
  const rates = { down: total(data, "recv_bps"), up: total(data, "sent_bps") };
  const isNew = meta.collected_at !== lastAt;
  lastAt = meta.collected_at;
  for (const [way, value] of Object.entries(rates)) {
    setFigure(root, way, rateParts(value));
    if (isNew) past[way] = [...past[way], value].slice(-KEPT);
    drawSpark(root.querySelector(`[data-spark="${way}"] path`), past[way]);
  }
  setSlot(root, "recv", `↓ ${size(data.network_recv)}`);
  setSlot(root, "sent", `↑ ${size(data.network_sent)}`);
}

/** Bridges and tunnels to containers would count the same bytes twice. */
function total(data, field) {
  const outward = (data.interfaces ?? []).filter((one) => !one.is_loopback && !VIRTUAL.some((name) => String(one.name).startsWith(name)));
  const known = outward.map((one) => one[field]).filter(isNumber);
  return known.length ? known.reduce((sum, value) => sum + value, 0) : null;
}

function drawSpark(path, values) {
  const peak = Math.max(1, ...values.filter(isNumber));
  let line = "";
  let pen = "M";
  values.forEach((value, index) => {
    const x = 60 - (values.length - 1 - index);
    if (!isNumber(value)) pen = "M";
    else {
      line += `${pen}${x} ${(19 - (18 * value) / peak).toFixed(2)}`;
      pen = "L";
    }
  });
  setAttr(path, "d", line);
}
