/* Comforts of the sign-in and first-start forms; both work without them. */
import { setAttr, show } from "./dom.js";
import { startTheme } from "./theme.js";

startTheme();

for (const button of document.querySelectorAll("[data-reveal]")) {
  const input = document.getElementById(button.dataset.reveal);
  show(button, true);
  button.addEventListener("click", () => {
    const visible = input.type === "password";
    input.type = visible ? "text" : "password";
    setAttr(button, "aria-pressed", visible);
    input.focus();
  });
}
