/* Starts the queue: open deliveries by state and channel, live, with what can be done about them. */
import * as api from "./api.js";
import { boot } from "./boot.js";
import { startBulk } from "./bulk.js";
import { now, onTick } from "./clock.js";
import { Rows, setAttr, setSlot, setText, show, slot } from "./dom.js";
import { opensDrawer } from "./drawer.js";
import { follow } from "./follow.js";
import { UNKNOWN, clock, moment, number } from "./format.js";
import { t } from "./i18n.js";
import { startShell } from "./shell.js";
import { toast } from "./toast.js";
import { canCancel, canRetry, faultOf, nextText, retryText, waits, wordOf } from "./words.js";

const PAGE_SIZE = 20;
const DUE_AFTER_MS = 1200;
const STATES = ["pending", "sending", "retrying", "dead"];
const find = (name) => document.querySelector(`[data-${name}]`);
const template = (name) => document.querySelector(`template[data-row="${name}"]`);

class Queue {
  constructor() {
    this.query = boot.queue.query;
    this.items = [];
    this.counts = null;
    this.readAt = null;
    this.turn = 0;
    this.asked = new Set();
    this.rows = new Rows(find("list"), template("delivery"), (row, item) => this.drawRow(row, item));
    this.holds = new Rows(find("holds"), template("hold"), (row, text) => setText(row, text));
  }

  start() {
    const { page, counts } = boot.queue;
    if (page) this.draw(page, counts, Date.parse(boot.now));
    this.soon = follow(() => this.load());
    for (const link of document.querySelectorAll(".states a, [data-pager] a, [data-empty-all]")) {
      link.addEventListener("click", (event) => this.go(event, link.href));
    }
    const pick = find("pick");
    pick.querySelector("select").addEventListener("change", (event) => this.show({ ...this.query, channel: event.target.value, page: 1 }));
    pick.addEventListener("submit", (event) => event.preventDefault());
    addEventListener("popstate", () => location.pathname === "/queue" && this.show(queryOf(location.search), false));
    startBulk(() => this.query.channel, () => this.load());
    onTick(() => this.tick());
  }

  go(event, address) {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    this.show(queryOf(new URL(address).search));
  }

  show(query, push = true) {
    if (addressOf(query) === addressOf(this.query)) return;
    this.query = query;
    if (push) history.pushState(null, "", addressOf(query));
    this.drawChoice();
    this.load();
  }

  /** Reads list and counts; an answer that a later question has overtaken is dropped. */
  async load() {
    const turn = ++this.turn;
    try {
      const [page, counts] = await Promise.all([api.get(listPath(this.query)), api.get(countPath(this.query))]);
      if (turn !== this.turn) return;
      const { items, total_pages: pages } = page.data;
      if (!items.length && this.query.page > 1) this.show({ ...this.query, page: Math.max(1, pages) }, false);
      else this.draw(page.data, counts.data, Date.parse(page.timestamp));
    } catch (error) {
      if (turn === this.turn) this.fail(error);
    }
  }

  fail(error) {
    const time = this.readAt ? clock(this.readAt - now() + Date.now()) : UNKNOWN;
    setText(find("fault-text"), this.readAt ? t("queue.stale", { error: error.message, time }) : t("queue.unreadable"));
    show(find("fault"), true);
  }

  draw(page, counts, readAt) {
    Object.assign(this, { items: page.items, counts, readAt, last: page });
    show(find("fault"), false);
    this.rows.update(page.items, (item) => item.id);
    this.holds.update(holdTexts(counts), (text) => text);
    this.drawChoice();
    this.drawSum(counts.states);
    this.drawPager(page);
    this.tick();
    if (this.refocus && !document.activeElement?.closest(".delivery")) document.querySelector("#main").focus();
    this.refocus = false;
  }

  drawChoice() {
    const { status, channel, page } = this.query;
    for (const link of document.querySelectorAll(".states a")) {
      const { state } = link.dataset;
      setAttr(link, "href", addressOf({ status: state, channel }));
      if ((status ?? "") === state) setAttr(link, "aria-current", "true");
      else link.removeAttribute("aria-current");
      if (this.counts) setText(link.querySelector("[data-count]"), number(countOf(this.counts.states, state)));
    }
    setAttr(find("prev"), "href", addressOf({ status, channel, page: page - 1 }));
    setAttr(find("next"), "href", addressOf({ status, channel, page: page + 1 }));
    this.drawChannels(channel ?? "");
  }

  drawChannels(chosen) {
    const select = find("pick").querySelector("select");
    const names = (this.counts?.channels ?? []).map((row) => row.channel);
    if (chosen && !names.includes(chosen)) names.push(chosen);
    const known = [...select.options].slice(1).map((option) => option.value);
    if (String(names) !== String(known)) {
      select.replaceChildren(select.options[0], ...names.map((name) => new Option(name, name)));
    }
    select.value = chosen;
  }

  drawSum(states) {
    const all = countOf(states, "");
    const { dead } = states;
    setAttr(find("sum"), "data-level", dead ? "warn" : "");
    setText(find("sum"), dead ? t("queue.sum_dead", { n: dead }) : all ? t("queue.sum_open", { n: all }) : t("queue.sum_none"));
    show(find("bulk"), dead > 0);
    setText(find("bulk-button"), t("queue.resend_all", { n: dead }));
  }

  drawPager({ items, total, total_pages: pages, page, page_size: size }) {
    show(find("pager"), pages > 1);
    show(find("prev"), page > 1);
    show(find("next"), page < pages);
    const first = (page - 1) * size + 1;
    setText(find("at"), t("queue.at", { first, last: first + items.length - 1, total: number(total) }));
    const chosen = Boolean(this.query.status || this.query.channel);
    show(find("empty"), !items.length);
    setText(find("empty-head"), chosen ? t("queue.none_here") : t("queue.empty"));
    setText(find("empty-text"), chosen ? t("queue.none_here_next") : t("queue.empty_next"));
    show(find("empty-all"), chosen);
  }

  drawRow(row, item) {
    setAttr(row, "data-state", item.status);
    const title = slot(row, "title");
    setText(title, item.title);
    setAttr(title, "href", `/notifications/${item.notification_id}`);
    opensDrawer(title, () => item.notification_id);
    setSlot(row, "why", item.last_error ?? "");
    show(slot(row, "why"), Boolean(item.last_error));
    setSlot(row, "channel", item.channel);
    setSlot(row, "state", wordOf("delivery", item.status));
    setText(row.querySelector('[data-act="retry"]'), retryText(item));
    for (const [name, fits] of [["cancel", canCancel], ["retry", canRetry]]) {
      const button = row.querySelector(`[data-act="${name}"]`);
      show(button, fits(item));
      setAttr(button, "aria-label", `${button.textContent}: ${item.title}, ${item.channel}`);
      button.onclick = () => this.act(button, `/deliveries/${item.id}/${name}`);
    }
  }

  /** The start of an attempt has no event of its own: its time is known, so the list is read once then. */
  tick() {
    for (const item of this.items) {
      const row = this.rows.byKey.get(item.id);
      if (row) setSlot(row, "next", nextText(item));
      const key = `${item.id} ${item.next_attempt_at}`;
      if (!waits(item) || this.asked.has(key) || now() - Date.parse(item.next_attempt_at) < DUE_AFTER_MS) continue;
      if (this.asked.size > 500) this.asked.clear();
      this.asked.add(key);
      this.soon?.();
    }
  }

  async act(button, path) {
    button.disabled = true;
    try {
      await api.post(path);
    } catch (error) {
      toast({ title: t("action.failed"), text: faultOf(error), type: "error" });
    }
    // The row may go with its state: then the reader goes on from the list, not from the page's start.
    this.refocus = document.activeElement === button || document.activeElement === document.body;
    await this.load();
    button.disabled = false;
  }
}

function holdTexts({ channels }) {
  const held = channels.filter(({ hold, pending, retrying, dead }) => hold && pending + retrying + dead);
  return held.map(({ channel, hold }) => {
    const kind = hold.kind === "off" && hold.reason ? "off_because" : hold.kind;
    return t(`hold.${kind}`, { channel, reason: hold.reason, time: moment(hold.until) });
  });
}

const countOf = (states, state) => (state ? states[state] : STATES.reduce((sum, one) => sum + states[one], 0));

function queryOf(search) {
  const given = new URLSearchParams(search);
  const status = STATES.includes(given.get("status")) ? given.get("status") : null;
  return { status, channel: given.get("channel") || null, page: Math.max(1, Number.parseInt(given.get("page"), 10) || 1) };
}

function addressOf({ status, channel, page }) {
  const query = new URLSearchParams();
  if (status) query.set("status", status);
  if (channel) query.set("channel", channel);
  if (page > 1) query.set("page", page);
  return query.size ? `/queue?${query}` : "/queue";
}

function listPath({ status, channel, page }) {
  const query = new URLSearchParams({ open_only: true, page, page_size: PAGE_SIZE });
  if (status) query.set("status", status);
  if (channel) query.set("channel", channel);
  return `/deliveries?${query}`;
}

const countPath = ({ channel }) => `/deliveries/counts${channel ? `?${new URLSearchParams({ channel })}` : ""}`;

new Queue().start();
startShell({ topics: ["system", "notifications"] });
