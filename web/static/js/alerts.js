/* Alerts: what is firing and what was, live, and the rules, changed in place. */
import * as api from "./api.js";
import { boot } from "./boot.js";
import { confirm } from "./confirm.js";
import { Rows, setAttr, setSlot, setText, show } from "./dom.js";
import { follow } from "./follow.js";
import { clearErrors, read, showErrors } from "./form.js";
import { moment } from "./format.js";
import { t } from "./i18n.js";
import { startShell } from "./shell.js";
import { toast } from "./toast.js";
import { faultOf } from "./words.js";

const FIELDS = ["threshold", "clear_at", "for_minutes", "clear_minutes", "subject"];
const find = (name) => document.querySelector(`[data-${name}]`);
const template = (name) => document.querySelector(`template[data-row="${name}"]`);
const alerts = new Rows(find("alerts"), template("alert"), drawAlert);
const rules = new Rows(find("rules"), template("rule"), drawRule);
const address = ({ id }) => `/alerts/rules/${id}`;
const called = ({ rule, name, metric }) => rule ?? name ?? t(`alert.metric.${metric}`);
const measure = (value, unit) => `${Math.round(value * 10) / 10} ${unit}`.trim();

function drawAlert(row, alert) {
  setAttr(row, "data-state", alert.status);
  setSlot(row, "status", t(`alert.status.${alert.status}`));
  setSlot(row, "name", called(alert));
  setSlot(row, "subject", alert.subject ?? "");
  setSlot(row, "value", alert.metric === "source_down" ? "" : measure(alert.value, alert.unit));
  setSlot(row, "time", moment(alert.resolved_at ?? alert.fired_at ?? alert.started_at));
}

function drawRule(row, rule) {
  const limit = measure(rule.threshold, rule.unit);
  const name = [called(rule), rule.subject].filter(Boolean).join(": ");
  setAttr(row, "data-on", rule.enabled);
  setSlot(row, "name", name);
  setSlot(row, "says", t(saysOf(rule), { limit, minutes: rule.for_minutes }));
  const form = row.querySelector("form");
  if (!row.querySelector("details").open) fill(form, rule);
  form.onsubmit = (event) => save(event, form, () => api.call("PATCH", address(rule), read(form)));
  const toggle = row.querySelector('[data-act="toggle"]');
  setText(toggle, t(rule.enabled ? "alert.disable" : "alert.enable"));
  setAttr(toggle, "aria-label", `${toggle.textContent}: ${name}`);
  toggle.onclick = () => run(() => api.call("PATCH", address(rule), { enabled: !rule.enabled }));
  row.querySelector('[data-act="remove"]').onclick = () => remove(rule, name);
}

function saysOf({ metric }) {
  if (metric === "source_down") return "alert.says_down";
  return boot.page.below.includes(metric) ? "alert.says_below" : "alert.says";
}

function fill(form, rule) {
  for (const field of FIELDS) {
    const control = form.querySelector(`[data-field="${field}"]`);
    const id = `r${rule.id}-${field}`;
    setAttr(control, "id", id);
    setAttr(control.parentElement.querySelector("label"), "for", id);
    control.value = rule[field] ?? "";
  }
}

async function save(event, form, send) {
  event.preventDefault();
  clearErrors(form);
  try {
    await send();
  } catch (error) {
    showErrors(form, error);
    return;
  }
  form.closest("details").open = false;
  form.closest("details").querySelector("summary").focus();
  await load();
}

function remove(rule, name) {
  const words = { title: t("alert.delete_title", { name }), text: t("alert.delete_text"), yes: t("alert.delete_yes") };
  confirm(words, async () => {
    await api.call("DELETE", address(rule));
    await load();
  });
}

async function run(work) {
  try {
    await work();
  } catch (error) {
    toast({ title: t("action.failed"), text: faultOf(error), type: "error" });
  }
  await load();
}

function draw(now) {
  alerts.update(now.alerts, ({ id }) => id);
  rules.update(now.rules, ({ id }) => id);
  show(find("none"), now.alerts.length === 0);
}

async function load() {
  try {
    const [listed, made] = await Promise.all([api.get("/alerts?page_size=20"), api.get("/alerts/rules")]);
    draw({ alerts: listed.data.items, rules: made.data });
    show(find("fault"), false);
  } catch (error) {
    setText(find("fault"), t("channels.stale", { error: error.message }));
    show(find("fault"), true);
  }
}

const fresh = find("new");
fresh.onsubmit = (event) => save(event, fresh, () => api.post("/alerts/rules", withoutNull(read(fresh))));
const withoutNull = (fields) => Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));

draw(boot.page);
follow(load);
startShell({ topics: ["system", "notifications"] });
