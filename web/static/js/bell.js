/* The bell: unread count, the inbox, marking as read, and the test notification. */
import * as api from "./api.js";
import { boot } from "./boot.js";
import { now, onTick } from "./clock.js";
import { Rows, setAttr, setSlot, setText, show, slot } from "./dom.js";
import { opensDrawer } from "./drawer.js";
import { span } from "./format.js";
import { has, t } from "./i18n.js";
import * as store from "./store.js";
import { toast } from "./toast.js";

const MOST = 50;
const isUnread = (note) => note.unread ?? !note.read_at;

class Bell {
  constructor() {
    this.button = document.querySelector("[data-bell]");
    this.panel = document.querySelector("[data-panel]");
    this.notes = new Map();
    this.newestId = null;
    this.loading = null;
    const template = this.panel.querySelector('template[data-row="note"]');
    this.rows = new Rows(this.panel.querySelector("[data-notes]"), template, (row, note) => this.drawRow(row, note));
  }

  start(unread) {
    this.setUnread(unread ?? 0);
    this.button.addEventListener("click", () => this.toggle());
    document.addEventListener("keydown", (event) => event.key === "Escape" && this.close(true));
    document.addEventListener("pointerdown", (event) => this.isOutside(event.target) && this.close(false));
    this.panel.querySelector("[data-read-all]").addEventListener("click", () => this.act(() => this.readAll()));
    for (const button of document.querySelectorAll("[data-send-test]")) {
      button.addEventListener("click", () => this.sendTest(button));
    }
    store.on("frame:notifications", ({ data }) => data && this.take(data));
    store.on("connection", ({ state }) => state === "live" && this.load());
    store.on("resync:notifications", () => this.load());
    store.on("source:redis", (state) => state === "up" && this.newestId !== null && this.load());
    onTick(() => this.panel.hidden || this.draw());
  }

  isOutside(target) {
    return !this.panel.hidden && !this.panel.contains(target) && !this.button.contains(target);
  }

  toggle() {
    if (!this.panel.hidden) return this.close(true);
    show(this.panel, true);
    setAttr(this.button, "aria-expanded", true);
    this.draw();
    this.panel.focus();
    return this.load();
  }

  close(giveFocusBack) {
    if (this.panel.hidden) return;
    show(this.panel, false);
    setAttr(this.button, "aria-expanded", false);
    if (giveFocusBack) this.button.focus();
  }

  /** Reads the newest ones by REST: at the start and after every reconnect, for the socket may have missed some. */
  async load() {
    this.loading ??= this.read().finally(() => (this.loading = null));
    return this.loading.catch((error) => this.panel.hidden || toast({ title: t("bell.failed"), text: error.message, type: "error" }));
  }

  async read() {
    const [list, count] = await Promise.all([
      api.get(`/notifications?page=1&page_size=${MOST}`),
      api.get("/notifications/unread/count"),
    ]);
    const before = this.newestId;
    const missed = list.data.items.filter((note) => before !== null && note.id > before && isUnread(note));
    this.notes = new Map(list.data.items.map((note) => [note.id, note]));
    this.newestId = Math.max(0, before ?? 0, ...this.notes.keys());
    const unread = count.data.count;
    if (Number.isInteger(unread)) this.setUnread(unread);
    missed.slice(0, 3).reverse().forEach((note) => this.announce(note));
    this.draw();
  }

  take({ event, notification, unread }) {
    if (Number.isInteger(unread)) this.setUnread(unread);
    if (!notification?.id) {
      if (event === "read" || event === "deleted") this.load();
      return;
    }
    if (event === "deleted") this.notes.delete(notification.id);
    else this.notes.set(notification.id, { ...this.notes.get(notification.id), ...notification });
    if (event === "created" && this.isNews(notification)) this.announce(notification);
    // Until the inbox was read once, the newest id is unknown: the socket begins by repeating its last event.
    if (this.newestId !== null) this.newestId = Math.max(this.newestId, notification.id);
    this.draw();
  }

  /** Whether it was made while this page is open; what is older stands in the inbox without a word. */
  isNews({ id, created_at: at }) {
    return id > (this.newestId ?? 0) && Date.parse(at) > Date.parse(boot.now);
  }

  announce(note) {
    toast({ title: note.title, text: note.message, type: note.type, note: true });
  }

  setUnread(count) {
    const badge = this.button.querySelector("[data-badge]");
    setText(badge, count > 99 ? "99+" : String(count));
    show(badge, count > 0);
    setAttr(this.button, "aria-label", t("bell.label", { n: count }));
    this.panel.querySelector("[data-read-all]").disabled = count === 0;
  }

  draw() {
    const newestFirst = [...this.notes.values()].sort((a, b) => b.id - a.id).slice(0, MOST);
    this.rows.update(newestFirst, (note) => note.id);
    show(this.panel.querySelector("[data-notes-empty]"), newestFirst.length === 0);
  }

  drawRow(row, note) {
    setAttr(row, "data-type", note.type);
    setAttr(row, "data-read", !isUnread(note));
    const title = slot(row, "title");
    setText(title, note.title);
    setAttr(title, "href", `/notifications/${note.id}`);
    opensDrawer(title, () => note.id, () => this.close(false));
    setSlot(row, "message", note.message ?? "");
    setSlot(row, "when", span(Math.max(0, now() - Date.parse(note.created_at)), "ago"));
    setSlot(row, "status", has(`status.${note.status}`) ? t(`status.${note.status}`) : (note.status ?? ""));
    const button = slot(row, "read");
    show(button, isUnread(note));
    button.onclick = () => this.act(() => this.markRead(note.id));
  }

  async markRead(id) {
    await api.post(`/notifications/${id}/read`);
    await this.load();
    this.panel.focus();
  }

  async readAll() {
    await api.post("/notifications/read-all");
    await this.load();
    this.panel.focus();
  }

  async act(action) {
    try {
      await action();
    } catch (error) {
      toast({ title: t("action.failed"), text: error.message, type: "error" });
    }
  }

  async sendTest(button) {
    button.disabled = true;
    try {
      await api.post("/notifications", { title: t("test.title"), message: t("test.message"), type: "info" });
    } catch (error) {
      toast({ title: t("test.failed"), text: error.message, type: "error" });
    } finally {
      button.disabled = false;
    }
  }
}

export const startBell = (unread) => new Bell().start(unread);
