/* Every disk: how full, how much is free. */
import { Rows, setAttr, setBar, setSlot, setText, show } from "../dom.js";
import { UNKNOWN, level, percent, size } from "../format.js";
import { t } from "../i18n.js";
import { tile } from "../tile.js";

let rows = null;

export const start = () => tile("disks", draw);

function draw(data, root) {
  rows ??= new Rows(root.querySelector("[data-list]"), root.querySelector('template[data-row="disk"]'), drawRow);
  rows.update(data.disks ?? [], (disk) => disk.mount);
  const empty = root.querySelector("[data-empty]");
  setText(empty, data.disks ? t("disks.none") : UNKNOWN);
  show(empty, !data.disks?.length);
}

function drawRow(row, disk) {
  setSlot(row, "mount", disk.mount);
  setAttr(row.querySelector('[data-slot="mount"]'), "title", disk.device ?? "");
  setSlot(row, "free", t("disks.free", { size: size(disk.free_bytes) }));
  setSlot(row, "used", t("disks.used", { percent: percent(disk.percent) }));
  setBar(row.querySelector(".bar"), disk.percent, level(disk.percent));
}
