/* Import of channels and templates: shows what a file would change before it is taken in. */
import * as api from "./api.js";
import { Rows, setSlot, setText, show } from "./dom.js";
import { t } from "./i18n.js";
import { startShell } from "./shell.js";
import { toast } from "./toast.js";

const find = (name) => document.querySelector(`[data-${name}]`);
const template = (name) => document.querySelector(`template[data-row="${name}"]`);
const faults = new Rows(find("faults"), template("fault"), setText);
const changes = new Rows(find("changes"), template("change"), (row, { what, name, action, fields }) => {
  setSlot(row, "action", t(`transfer.${action}`, { what: t(`transfer.${what}`) }));
  setSlot(row, "name", name);
  setSlot(row, "fields", fields.join(", "));
});
let yaml = "";

async function ask(dryRun) {
  show(find("import-error"), false);
  try {
    return (await api.post("/import", { yaml, dry_run: dryRun })).data.changes.filter(({ action }) => action !== "same");
  } catch (error) {
    setText(find("import-said"), error.errors.length ? t("transfer.faults", { n: error.errors.length }) : error.message);
    faults.update(error.errors.map(({ field, message }) => `${field}: ${message}`), (text) => text);
    show(find("import-error"), true);
    find("import-error").focus();
    return null;
  }
}

function plan(found) {
  changes.update(found ?? [], ({ what, name }) => `${what} ${name}`);
  show(find("plan"), Boolean(found));
  show(find("nothing"), found?.length === 0);
  show(find("take"), Boolean(found?.length));
}

// Otherwise a file that was mended and is chosen again would be no change.
find("file").addEventListener("click", ({ target }) => (target.value = ""));
find("file").addEventListener("change", async ({ target }) => {
  plan(null);
  const [file] = target.files;
  if (!file) return;
  yaml = await file.text();
  plan(await ask(true));
});

find("import").addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = find("take");
  if (button.hidden || button.getAttribute("aria-busy") === "true") return;
  button.setAttribute("aria-busy", "true");
  const done = await ask(false);
  button.removeAttribute("aria-busy");
  if (!done) return plan(null);
  toast({ title: t("transfer.done", { n: done.length }), type: "success" });
  find("import").reset();
  plan(null);
  find("file").focus();
});

startShell({ topics: ["system", "notifications"] });
