/* One channel's form: tried over the real way before it is saved. */
import * as api from "./api.js";
import { boot } from "./boot.js";
import { setAttr, setText, show } from "./dom.js";
import { clearErrors, read, showErrors } from "./form.js";
import { t } from "./i18n.js";
import { startShell } from "./shell.js";
import { toldOf } from "./trial.js";

// No channel can have this name: it stands for one that has none yet.
const UNNAMED = "-";
const LIST = "/settings/channels";
const { name, kind, builtin } = boot.page;
const find = (part) => document.querySelector(`[data-${part}]`);
const form = find("form");
let dirty = false;

async function trial() {
  const { settings = {}, name: typed } = read(form);
  const body = builtin ? {} : { kind, settings };
  const { data } = await api.post(`/channels/${encodeURIComponent(name ?? typed ?? UNNAMED)}/test`, body);
  const { ok, head, said } = toldOf(data);
  show(find("trial"), true);
  setText(find("trial-head"), head);
  setAttr(find("trial-head"), "data-ok", ok);
  setText(find("trial-said"), said);
  show(find("trial-said"), Boolean(said));
}

async function save() {
  const { name: typed, ...values } = read(form);
  const path = name ? `/channels/${encodeURIComponent(name)}` : "/channels";
  await (name ? api.call("PATCH", path, values) : api.post(path, { name: typed ?? "", kind, ...values }));
  dirty = false;
  location.assign(LIST);
}

/** Disables the button while its work runs, and shows what was wrong. */
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
  if (!builtin) run(find("save"), save);
});
find("test").addEventListener("click", () => run(find("test"), trial));
form.addEventListener("input", () => (dirty = true));
addEventListener("beforeunload", (event) => dirty && event.preventDefault());
for (const secret of form.querySelectorAll('[data-shape="secret"]')) secret.addEventListener("focus", () => secret.select());
if (!name) form.querySelector("[data-field]")?.focus();
startShell({ topics: ["system", "notifications"] });
