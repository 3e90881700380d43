/* One service's form: asked for real before it is saved. */
import * as api from "./api.js";
import { boot } from "./boot.js";
import { setAttr, setText, show } from "./dom.js";
import { clearErrors, read, showErrors } from "./form.js";
import { toldOf } from "./service-trial.js";
import { startShell } from "./shell.js";

// No service can have this name: it stands for one that has none yet.
const UNNAMED = "-";
const LIST = "/settings/services";
const { name, kind } = boot.page;
const find = (part) => document.querySelector(`[data-${part}]`);
const form = find("form");
let dirty = false;

async function trial() {
  const { settings = {} } = read(form);
  const { data } = await api.post(`/services/${encodeURIComponent(name ?? UNNAMED)}/test`, { kind, settings });
  const { ok, head, said } = toldOf(data);
  show(find("trial"), true);
  setText(find("trial-head"), head);
  setAttr(find("trial-head"), "data-ok", ok);
  setText(find("trial-said"), said);
  show(find("trial-said"), Boolean(said));
}

async function save() {
  const { name: typed, settings = {} } = read(form);
  if (name) await api.call("PATCH", `/services/${encodeURIComponent(name)}`, { settings });
  else await api.post("/services", { name: typed ?? "", kind, settings });
  dirty = false;
  location.assign(LIST);
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

form.addEventListener("submit", (event) => {
  event.preventDefault();
  run(find("save"), save);
});
find("test").addEventListener("click", () => run(find("test"), trial));
form.addEventListener("input", () => (dirty = true));
addEventListener("beforeunload", (event) => dirty && event.preventDefault());
for (const secret of form.querySelectorAll('[data-shape="secret"]')) secret.addEventListener("focus", () => secret.select());
if (!name) form.querySelector('[data-field="settings.url"]')?.focus();
startShell({ topics: ["system", "notifications"] });
