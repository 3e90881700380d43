/* The editor of a template: what is typed is shown as it would be sent, on an example or on a real message. */
import * as api from "./api.js";
import { boot } from "./boot.js";
import { confirm } from "./confirm.js";
import { setText, show } from "./dom.js";
import { clearErrors, read, showErrors } from "./form.js";
import { t } from "./i18n.js";
import { startShell } from "./shell.js";

const WAIT_MS = 250;
const LIST = "/settings/templates";
const PARTS = ["subject", "body", "markdown"];
const { id } = boot.page;
const find = (name) => document.querySelector(`[data-${name}]`);
const form = find("form");
let dirty = false;
let timer = 0;
let turn = 0;
let lastSource = form.querySelector('[data-field="body"]');

/** Shows the newest text; an answer that later typing has overtaken is dropped. */
async function preview() {
  const mine = ++turn;
  const { event, body, ...rest } = read(form);
  const sample = Number(find("sample").value) || null;
  try {
    const asked = { ...rest, event: event ?? undefined, body: body ?? "", notification_id: sample };
    const { data } = await api.post("/templates/preview", asked);
    if (mine === turn) draw(data);
  } catch (error) {
    if (mine !== turn) return;
    setText(find("preview-error"), error.message);
    show(find("preview-error"), true);
  }
}

function draw(data) {
  show(find("preview-error"), false);
  clearErrors(form);
  for (const part of PARTS) {
    show(document.querySelector(`[data-part="${part}"]`), data[part] !== null);
    setText(document.querySelector(`[data-preview="${part}"]`), data[part] ?? "");
  }
  for (const { field, message } of data.errors) {
    const line = form.querySelector(`[data-error-of="${field}"]`);
    setText(line, message);
    show(line, true);
    form.querySelector(`[data-field="${field}"]`).setAttribute("aria-invalid", "true");
  }
}

function soon() {
  clearTimeout(timer);
  timer = setTimeout(preview, WAIT_MS);
}

async function save() {
  const { event, body, ...rest } = read(form);
  const content = { ...rest, event: event ?? "", body: body ?? "" };
  await (id ? api.call("PUT", `/templates/${id}`, content) : api.post("/templates", content));
  leave();
}

function leave() {
  dirty = false;
  location.assign(LIST);
}

function insert(name) {
  const text = `{{ ${name} }}`;
  lastSource.setRangeText(text, lastSource.selectionStart, lastSource.selectionEnd, "end");
  lastSource.focus();
  dirty = true;
  soon();
}

form.addEventListener("input", () => {
  dirty = true;
  soon();
});
form.addEventListener("focusin", ({ target }) => "source" in target.dataset && (lastSource = target));
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = find("save");
  if (button.getAttribute("aria-busy") === "true") return;
  button.setAttribute("aria-busy", "true");
  clearTimeout(timer);
  turn += 1;
  try {
    await save();
  } catch (error) {
    showErrors(form, error);
  }
  button.removeAttribute("aria-busy");
});
find("sample").addEventListener("change", preview);
for (const button of document.querySelectorAll("[data-insert]")) button.addEventListener("click", () => insert(button.dataset.insert));
find("remove")?.addEventListener("click", () => {
  const words = { title: t("templates.delete_title"), text: t("templates.delete_text"), yes: t("templates.delete_yes") };
  confirm(words, async () => {
    await api.call("DELETE", `/templates/${id}`);
    leave();
  });
});
addEventListener("beforeunload", (event) => dirty && event.preventDefault());
startShell({ topics: ["system", "notifications"] });
