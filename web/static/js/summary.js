/* One sentence under the heading: all sources current, or which of them need attention. */
import { onTick } from "./clock.js";
import { setAttr, setText } from "./dom.js";
import { t } from "./i18n.js";

export function startSummary() {
  const line = document.querySelector("[data-summary]");
  onTick(() => {
    const troubled = [...document.querySelectorAll('.tile[data-status="error"], .tile[data-status="stale"]')];
    // Several tiles draw one source: the sources are counted and named, not the tiles.
    const names = [...new Set(troubled.map((tile) => tile.dataset.source))].map((source) => t(`source.${source}`));
    setAttr(line, "data-level", names.length ? "warn" : "");
    setText(line, names.length ? t("overview.attention", { n: names.length, names: names.join(" · ") }) : t("overview.fine"));
  });
}
