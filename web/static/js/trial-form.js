/* What the forms of channels and services share: a try, a save, and no change lost by leaving the page. */
import { setAttr, setText, show } from "./dom.js";
import { clearErrors, read, showErrors } from "./form.js";

const find = (part) => document.querySelector(`[data-${part}]`);
const form = find("form");
let dirty = false;

export const given = () => read(form);

/** Says how the try went, with the other side's own words below. */
export function showTrial({ ok, head, said }) {
  show(find("trial"), true);
  setText(find("trial-head"), head);
  setAttr(find("trial-head"), "data-ok", ok);
  setText(find("trial-said"), said);
  show(find("trial-said"), Boolean(said));
}

/** Goes on to another page after all was saved. */
export function leave(address) {
  dirty = false;
  location.assign(address);
}

/** `trial` and `save` do their work and throw what was wrong; `first` selects the field to begin with. */
export function startTrialForm({ trial, save, first }) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (save) run(find("save"), save);
  });
  find("test").addEventListener("click", () => run(find("test"), trial));
  form.addEventListener("input", () => (dirty = true));
  addEventListener("beforeunload", (event) => dirty && event.preventDefault());
  for (const secret of form.querySelectorAll('[data-shape="secret"]')) secret.addEventListener("focus", () => secret.select());
  if (first) form.querySelector(first)?.focus();
}

/** Marks the button as busy while its work runs, and shows what was wrong. */
async function run(button, work) {
  if (button.getAttribute("aria-busy") === "true") return;
  button.setAttribute("aria-busy", "true");
  clearErrors(form);
  show(find("trial"), false);
  try {
    await work();
  } catch (error) {
    showErrors(form, error);
  }
  button.removeAttribute("aria-busy");
}
