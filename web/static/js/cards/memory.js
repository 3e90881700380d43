/* Memory and swap. */
import { setBar, setFigure, setSlot } from "../dom.js";
import { gibOf, percentParts, sizeOf } from "../format.js";
import { t } from "../i18n.js";
import { tile } from "../tile.js";

export const start = () => tile("memory", draw);

function draw(data, root) {
  setFigure(root, "memory", percentParts(data.memory_usage));
  setBar(root.querySelector('[data-bar="memory"]'), data.memory_usage);
  setSlot(root, "used", gibOf(data.memory_used_gb, data.memory_total_gb));
  const swap = data.swap ?? {};
  setSlot(root, "swap", swap.total_bytes === 0 ? t("memory.no_swap") : sizeOf(swap.used_bytes, swap.total_bytes));
}
