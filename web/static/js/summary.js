/* One sentence under the heading: all sources current, or which of them need attention. */
import { onTick } from "./clock.js";
import { setAttr, setText } from "./dom.js";
import { t } from "./i18n.js";

export function startSummary() {
  const line = document.querySelector("[data-summary]");
  onTick(() => {
    const troubled = [...document.querySelectorAll('.tile[data-status="error"], .tile[data-status="stale"]')];
    const names = [...new Map(troubled.map((tile) => [tile.dataset.source, tile.querySelector("h2").textContent])).values()];
    setAttr(line, "data-level", names.length ? "warn" : "");
    setText(line, names.length ? t("overview.attention", { n: names.length, names: names.join(" · ") }) : t("overview.fine"));
  });
}
