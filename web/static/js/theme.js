/* Light, dark, or as the system says; kept in this browser. */
import { show } from "./dom.js";

export function currentTheme() {
  const chosen = document.documentElement.dataset.theme;
  return chosen || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
}

export function startTheme(onChange = () => {}) {
  const button = document.querySelector("[data-theme-button]");
  show(button, true);
  button?.addEventListener("click", () => {
    const next = currentTheme() === "dark" ? "light" : "dark";
    document.documentElement.dataset.theme = next;
    try {
      localStorage.setItem("vabhub-theme", next);
    } catch { /* storage may be forbidden: the choice lasts for this page */ }
    onChange();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", onChange);
}
