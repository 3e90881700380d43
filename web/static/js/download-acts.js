/* Pausing, resuming and deleting downloads: what can be done, asking before a deletion, and doing it. */
import * as api from "./api.js";
import { setAttr, setText, show } from "./dom.js";
import { has, t } from "./i18n.js";
import { toast } from "./toast.js";

const MOST_AT_ONCE = 200;
const FORGOTTEN_AFTER_MS = 8000;
const PAUSES = new Set(["queued", "checking", "metadata", "downloading", "stalled", "seeding"]);
const RESUMES = new Set(["paused", "error"]);
const ACTS = ["pause", "resume", "delete"];

// What was asked for and is not yet seen in a reading.
const doing = new Map();

export const keyOf = (item) => `${item.instance}\n${item.id ?? item.name}`;

export function can(act, item, clients) {
  if (!clients?.[item.instance]?.capabilities?.includes(act)) return false;
  return act === "delete" || (act === "pause" ? PAUSES : RESUMES).has(item.state);
}

/** The state as a person reads it, or what is being done about it. */
export function stateText(item) {
  const asked = doing.get(keyOf(item));
  if (asked && asked.state === item.state && Date.now() < asked.until) return t(`downloads.doing_${asked.act}`);
  if (asked) doing.delete(keyOf(item));
  return t(has(`state.${item.state}`) ? `state.${item.state}` : "state.unknown");
}

/** Draws a row's buttons. `done` is called when something was asked for. */
export function drawActs(row, item, clients, done) {
  const busy = doing.has(keyOf(item));
  for (const act of ACTS) {
    const button = row.querySelector(`[data-act="${act}"]`);
    show(button, can(act, item, clients));
    button.disabled = busy;
    setAttr(button, "aria-label", `${t(`downloads.${act}`)}: ${item.name}`);
    button.onclick = () => request(act, [item], clients, done);
  }
}

/** Asks for it with every item that it can be done with; a deletion only when the person confirms. */
export async function request(act, items, clients, done) {
  const wanted = items.filter((item) => can(act, item, clients));
  if (!wanted.length) return;
  let files = false;
  if (act === "delete") {
    const said = await confirmed(wanted, clients);
    if (!said) return;
    files = said.files;
  }
  for (const item of wanted) doing.set(keyOf(item), { act, state: item.state, until: Date.now() + FORGOTTEN_AFTER_MS });
  done();
  const takesFiles = (item) => files && clients[item.instance].capabilities.includes("delete_files");
  await send(act, wanted.filter((item) => !takesFiles(item)), act === "delete" ? { delete_files: false } : {});
  await send(act, wanted.filter(takesFiles), { delete_files: true });
  done();
}

async function send(act, items, more) {
  for (let at = 0; at < items.length; at += MOST_AT_ONCE) {
    const part = items.slice(at, at + MOST_AT_ONCE);
    try {
      const body = { items: part.map(({ instance, id }) => ({ instance, id })), ...more };
      const { data } = await api.post(`/downloads/${act}`, body);
      const failed = data.results.filter((result) => result.error);
      for (const result of failed) doing.delete(keyOf(result));
      if (failed.length) toast({ title: t("action.failed"), text: t("downloads.partly", { n: failed.length, error: failed[0].error }), type: "error" });
    } catch (error) {
      for (const item of part) doing.delete(keyOf(item));
      toast({ title: t("action.failed"), text: error.message, type: "error" });
    }
  }
}

/** Shows the question; resolves to `{ files }`, or to null when the person thinks better of it. */
function confirmed(items, clients) {
  const dialog = document.querySelector("[data-delete]");
  const find = (name) => dialog.querySelector(`[data-delete-${name}]`);
  const box = find("files").querySelector("input");
  const keeps = [...new Set(items.map(({ instance }) => instance))].filter((name) => !clients[name].capabilities.includes("delete_files"));
  setText(find("title"), t("downloads.delete_title", { n: items.length }));
  const names = items.slice(0, 3).map(({ name }) => name);
  setText(find("names"), names.join("\n") + (items.length > names.length ? "\n…" : ""));
  box.checked = false;
  show(find("files"), items.some(({ instance }) => !keeps.includes(instance)));
  setText(find("note"), keeps.length ? t("downloads.files_stay", { instances: keeps.join(", ") }) : "");
  show(find("note"), keeps.length > 0);
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((resolve) => {
    const answer = () => resolve(dialog.returnValue === "yes" ? { files: box.checked } : null);
    dialog.addEventListener("close", answer, { once: true });
  });
}
