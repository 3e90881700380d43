/* CPU: use over all cores, one bar a core, load. */
import { setAttr, setFigure, setSlot } from "../dom.js";
import { UNKNOWN, isNumber, load, percentParts } from "../format.js";
import { t } from "../i18n.js";
import { tile } from "../tile.js";

const SVG = "http://www.w3.org/2000/svg";
const MANY = 16;

export const start = () => tile("cpu", draw);

function draw(data, root) {
  setFigure(root, "cpu", percentParts(data.cpu_usage));
  drawCores(root.querySelector("[data-cores]"), data.per_core ?? []);
  setSlot(root, "cores", isNumber(data.cpu_count) ? t("cpu.cores", { n: data.cpu_count }) : UNKNOWN);
  setSlot(root, "load", data.load?.map(load).join(" ") ?? UNKNOWN);
}

function drawCores(box, cores) {
  setAttr(box, "data-dense", cores.length > MANY);
  while (box.children.length > cores.length) box.lastElementChild.remove();
  while (box.children.length < cores.length) box.append(newBar());
  cores.forEach((value, index) => {
    const height = isNumber(value) ? Math.min(100, Math.max(0, value)) : 0;
    const fill = box.children[index].firstElementChild;
    setAttr(fill, "y", `${100 - height}%`);
    setAttr(fill, "height", `${height}%`);
  });
}

function newBar() {
  const bar = document.createElementNS(SVG, "svg");
  const fill = document.createElementNS(SVG, "rect");
  bar.setAttribute("class", "core");
  fill.setAttribute("class", "core-fill");
  fill.setAttribute("width", "100%");
  bar.append(fill);
  return bar;
}
