/* The list of channels: state and reason, live, and what can be done about them. */
import * as api from "./api.js";
import { boot } from "./boot.js";
import { confirm } from "./confirm.js";
import { Rows, setAttr, setSlot, setText, show, slot } from "./dom.js";
import { follow } from "./follow.js";
import { moment } from "./format.js";
import { t } from "./i18n.js";
import { startShell } from "./shell.js";
import { toast } from "./toast.js";
import { toldOf } from "./trial.js";
import { faultOf } from "./words.js";

const MENDABLE = ["failing", "waiting", "held", "refused"];
const WAITING = ["pending", "sending", "retrying"];
const find = (name) => document.querySelector(`[data-${name}]`);
const address = ({ name }) => `/channels/${encodeURIComponent(name)}`;
const { kinds } = boot.page;
const template = document.querySelector('template[data-row="channel"]');
const rows = new Rows(find("list"), template, drawRow);
let { waiting } = boot.page;

function draw(channels) {
  rows.update(channels, ({ name }) => name);
}

function drawRow(row, channel) {
  const { name, kind, state, builtin } = channel;
  setAttr(row, "data-state", state);
  setSlot(row, "name", name);
  setAttr(slot(row, "name"), "href", `/settings${address(channel)}`);
  setSlot(row, "kind", labelOf(kind));
  setSlot(row, "state", t(`channel.state.${state}`));
  for (const [part, text] of [["why", whyOf(channel)], ["reason", channel.state_reason ?? ""]]) {
    setSlot(row, part, text);
    show(slot(row, part), Boolean(text));
  }
  const n = waiting[name] ?? 0;
  setSlot(row, "waiting", t("channel.waiting", { n }));
  setAttr(slot(row, "waiting"), "href", `/queue?${new URLSearchParams({ channel: name })}`);
  show(slot(row, "waiting"), n > 0);
  const act = (part, visible, work) => {
    const button = row.querySelector(`[data-act="${part}"]`);
    show(button, visible);
    button.onclick = () => work(button);
    return button;
  };
  const turn = (on) => (button) => run(button, () => api.call("PATCH", address(channel), { enabled: on }));
  const off = state === "off";
  act("heal", MENDABLE.includes(state), turn(true));
  act("test", true, (button) => run(button, () => test(row, channel)));
  setText(act("toggle", !builtin, turn(off)), t(off ? "channel.enable" : "channel.disable"));
  act("remove", !builtin, () => remove(channel));
  for (const button of row.querySelectorAll("[data-act]")) setAttr(button, "aria-label", `${button.textContent}: ${name}`);
}

const labelOf = (kind) => kinds[kind]?.[boot.locale] ?? kinds[kind]?.en ?? kind.replaceAll("_", " ").replace(/^./, (c) => c.toUpperCase());

function whyOf({ state, state_until: until }) {
  if (state === "on") return "";
  const key = state === "held" && until ? "held_until" : state;
  return t(`channel.why.${key}`, { time: until ? moment(until) : "" });
}

async function test(row, channel) {
  setSlot(row, "said", t("channel.testing"));
  setAttr(slot(row, "said"), "data-ok", "");
  try {
    const { ok, head, said } = toldOf((await api.post(`${address(channel)}/test`)).data);
    setSlot(row, "said", said ? `${head}: ${said}` : head);
    setAttr(slot(row, "said"), "data-ok", ok);
  } catch (error) {
    setSlot(row, "said", "");
    throw error;
  }
}

function remove(channel) {
  const n = waiting[channel.name] ?? 0;
  const words = { title: t("channel.delete_title", { name: channel.name }), yes: t("channel.delete_yes") };
  confirm({ ...words, text: n ? t("channel.delete_waiting", { n }) : t("channel.delete_text") }, async () => {
    await api.call("DELETE", address(channel));
    await load();
  });
}

async function run(button, work) {
  // Not disabled: that would take the focus from whoever works by keyboard.
  if (button.getAttribute("aria-busy") === "true") return;
  button.setAttribute("aria-busy", "true");
  try {
    await work();
  } catch (error) {
    toast({ title: t("action.failed"), text: faultOf(error), type: "error" });
  }
  await load();
  button.removeAttribute("aria-busy");
  if (button.hidden && document.activeElement === document.body) document.querySelector("#main").focus();
}

async function load() {
  try {
    const [channels, counts] = await Promise.all([api.get("/channels"), api.get("/deliveries/counts")]);
    const sum = (row) => WAITING.reduce((all, state) => all + row[state], 0);
    waiting = Object.fromEntries(counts.data.channels.map((row) => [row.channel, sum(row)]));
    draw(channels.data);
    show(find("fault"), false);
  } catch (error) {
    setText(find("fault"), t("channels.stale", { error: error.message }));
    show(find("fault"), true);
  }
}

draw(boot.page.channels);
follow(load);
startShell({ topics: ["system", "notifications"] });
