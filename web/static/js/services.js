/* The list of services: how each answers, live, and what can be done about it. */
import * as api from "./api.js";
import { boot } from "./boot.js";
import { confirm } from "./confirm.js";
import { setAttr, setSlot, setText, show, slot } from "./dom.js";
import { has, t } from "./i18n.js";
import { toldOf } from "./service-trial.js";
import { startShell } from "./shell.js";
import * as store from "./store.js";
import { toast } from "./toast.js";
import { faultOf } from "./words.js";

const { kinds } = boot.page;
const list = document.querySelector("[data-list]");
const address = ({ name }) => `/services/${encodeURIComponent(name)}`;
const rows = new Map();
let { services } = boot.page;

function draw() {
  const left = new Map(rows);
  for (const service of services) {
    const key = `${service.source} ${service.name}`;
    if (!rows.has(key)) rows.set(key, document.querySelector(`template[data-row="${service.source}"]`).content.firstElementChild.cloneNode(true));
    left.delete(key);
    drawRow(rows.get(key), service);
    list.append(rows.get(key));
  }
  for (const [key, row] of left) {
    row.remove();
    rows.delete(key);
  }
  show(document.querySelector("[data-empty]"), !services.length);
}

function drawRow(row, service) {
  const { name, kind, enabled, source, settings } = service;
  const seen = service.shadowed ? {} : (store.get("downloads")?.data?.downloaders?.[name] ?? {});
  const state = enabled ? (seen.status ?? "unknown") : "off";
  setAttr(row, "data-state", state);
  setSlot(row, "name", name);
  if (source === "page") setAttr(slot(row, "name"), "href", `/settings${address(service)}`);
  setSlot(row, "kind", [labelOf(kind), settings.url].filter(Boolean).join(" · "));
  setSlot(row, "state", t(`service.state.${state}`));
  setSlot(row, "version", enabled ? (seen.version ?? "") : "");
  const why = noteOf(service);
  setSlot(row, "note", why);
  show(slot(row, "note"), Boolean(why));
  const fault = enabled && seen.error ? faultText(seen) : "";
  setSlot(row, "reason", fault);
  show(slot(row, "reason"), Boolean(fault));
  drawActs(row, service);
}

function drawActs(row, service) {
  const { name, enabled } = service;
  const act = (part, work) => {
    const button = row.querySelector(`[data-act="${part}"]`);
    button.onclick = () => run(button, work);
    return button;
  };
  act("test", () => test(row, service));
  setText(act("toggle", () => api.call("PATCH", address(service), { enabled: !enabled })), t(enabled ? "service.disable" : "service.enable"));
  act("remove", () => remove(service));
  for (const button of row.querySelectorAll("[data-act]")) setAttr(button, "aria-label", `${button.textContent}: ${name}`);
}

const labelOf = (kind) => kinds[kind]?.[boot.locale] ?? kinds[kind]?.en ?? kind;

function noteOf({ source, shadowed, readable }) {
  if (source === "environment") return t("service.environment");
  if (!readable) return t("service.unreadable");
  return shadowed ? t("service.shadowed") : "";
}

function faultText({ error_code: code, error }) {
  const key = has(`fault.${code}`) ? `fault.${code}` : "fault.other";
  const [head, next] = [t(key, { error }), t(`${key}.next`, { error })];
  return next ? `${head}: ${next}` : head;
}

async function test(row, service) {
  setSlot(row, "said", t("service.testing"));
  setAttr(slot(row, "said"), "data-ok", "");
  try {
    const { ok, head, said } = toldOf((await api.post(`${address(service)}/test`)).data);
    setSlot(row, "said", said ? `${head}: ${said}` : head);
    setAttr(slot(row, "said"), "data-ok", ok);
  } catch (error) {
    setSlot(row, "said", "");
    throw error;
  }
}

function remove(service) {
  const words = { title: t("channel.delete_title", { name: service.name }), text: t("service.delete_text"), yes: t("service.delete_yes") };
  confirm(words, async () => {
    await api.call("DELETE", address(service));
    await load();
  });
}

async function run(button, work) {
  if (button.getAttribute("aria-busy") === "true") return;
  button.setAttribute("aria-busy", "true");
  try {
    await work();
    await load();
  } catch (error) {
    toast({ title: t("action.failed"), text: faultOf(error), type: "error" });
  }
  button.removeAttribute("aria-busy");
}

async function load() {
  services = (await api.get("/services")).data;
  draw();
}

list.replaceChildren();
draw();
store.on("downloads", draw);
startShell({ topics: ["downloads", "dashboard", "system", "notifications"] });
