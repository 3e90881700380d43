/* Starts the library's page: roots with their scans, corrections of what could not be read, and copies. */
import * as api from "./api.js";
import { boot } from "./boot.js";
import { startCorrection } from "./correction.js";
import { Rows, setAttr, setBar, setSlot, setText, show, slot } from "./dom.js";
import { UNKNOWN, gib, isNumber, moment, number, size } from "./format.js";
import { t } from "./i18n.js";
import { startShell } from "./shell.js";
import * as store from "./store.js";
import { toast } from "./toast.js";
import { qualityText, rootName, workText } from "./words.js";

const PAGE_SIZE = 20;
const WHILE_SCANNING_MS = 1000;
const OPEN = new Set(["queued", "running"]);
const find = (name, value) => document.querySelector(value === undefined ? `[data-${name}]` : `[data-${name}="${value}"]`);
const template = (name) => document.querySelector(`template[data-row="${name}"]`);
const drawers = { unparsed: ["file", drawFile], duplicates: ["work", drawWork] };

class Library {
  constructor() {
    this.pages = { unparsed: boot.library.unparsed?.page ?? 1, duplicates: boot.library.duplicates?.page ?? 1 };
    this.roots = new Rows(find("roots"), template("root"), (row, root) => this.drawRoot(row, root));
    this.lists = Object.fromEntries(Object.entries(drawers).map(([name, [row, draw]]) => [name, new Rows(find("list", name), template(row), draw)]));
    this.scannedAt = null;
  }

  start() {
    this.correct = startCorrection(() => this.changed());
    for (const name of Object.keys(drawers)) {
      for (const [which, step] of [["prev", -1], ["next", 1]]) {
        find("pager", name).querySelector(`[data-${which}]`).addEventListener("click", (event) => this.turn(event, name, step));
      }
      if (boot.library[name]) this.drawList(name, boot.library[name]);
    }
    find("scan-all").addEventListener("click", ({ target }) => this.act(target, "/library/scan", { full: true }));
    find("list", "unparsed").addEventListener("click", ({ target }) => this.onFile(target));
    if (boot.library.roots) this.drawRoots(boot.library.roots);
    store.on("dashboard", () => this.load());
  }

  /** Reads the roots; the lists only after a scan, since nothing else changes them. */
  async load() {
    clearTimeout(this.timer);
    try {
      this.drawRoots((await api.get("/library/roots")).data);
      show(find("fault"), false);
    } catch (error) {
      setText(find("fault"), t("library.unreadable_why", { error: error.message }));
      show(find("fault"), true);
    }
  }

  drawRoots(roots) {
    this.roots.update(roots, (root) => root.id);
    show(find("how"), !roots.length);
    show(find("scan-all"), roots.length > 0);
    find("scan-all").disabled = roots.some(isOpen);
    const scanned = roots.map((root) => root.scanned_at).join();
    if (this.scannedAt !== null && this.scannedAt !== scanned) this.loadLists();
    this.scannedAt = scanned;
    if (roots.some(isOpen) && !document.hidden) this.timer = setTimeout(() => this.load(), WHILE_SCANNING_MS);
  }

  drawRoot(row, root) {
    const { scan } = root;
    setAttr(row, "data-state", root.status);
    setSlot(row, "name", rootName(root.kind, root.root));
    setSlot(row, "path", root.root);
    setSlot(row, "watch", watchText(root));
    setSlot(row, "fault", root.error ?? "");
    show(slot(row, "fault"), Boolean(root.error));
    setSlot(row, "files", isNumber(root.files) ? t("library.files", { n: root.files }) : UNKNOWN);
    setSlot(row, "size", gib(root.size_gb));
    setSlot(row, "state", scanText(root));
    const known = isOpen(root) && scan.total > 0;
    row.querySelector(".bar").toggleAttribute("hidden", !isOpen(root));
    setBar(row.querySelector(".bar"), known ? (100 * scan.done) / scan.total : null);
    setAttr(row.querySelector(".bar"), "aria-valuenow", known ? Math.floor((100 * scan.done) / scan.total) : "");
    this.button(row, "cancel", isOpen(root), (it) => this.act(it, `/library/scans/${scan.id}/cancel`));
    this.button(row, "scan", !isOpen(root), (it) => this.act(it, "/library/scan", { root_id: root.id }));
    this.button(row, "accept", root.status === "stale" && !isOpen(root), (it) => this.accept(it, root));
  }

  button(row, name, fits, act) {
    const button = row.querySelector(`[data-act="${name}"]`);
    show(button, fits);
    setAttr(button, "aria-label", `${button.textContent}: ${slot(row, "path").textContent}`);
    button.onclick = () => act(button);
  }

  async act(button, path, body) {
    button.disabled = true;
    try {
      await api.post(path, body);
    } catch (error) {
      toast({ title: t("action.failed"), text: error.message, type: "error" });
    }
    button.disabled = false;
    await this.load();
  }

  accept(button, root) {
    const dialog = find("accept");
    setText(find("accept-text"), t("library.accept_text", { root: root.root, n: root.files ?? 0 }));
    dialog.returnValue = "no";
    dialog.onclose = () => dialog.returnValue === "yes" && this.act(button, "/library/scan", { root_id: root.id, accept_missing: true });
    dialog.showModal();
  }

  onFile(target) {
    const act = target.closest("[data-act]")?.dataset.act;
    const file = act && this.files?.find((one) => String(one.id) === target.closest("li").dataset.id);
    if (!file) return;
    if (act === "correct") this.correct(file);
    else this.forget(target, file);
  }

  async forget(button, file) {
    button.disabled = true;
    try {
      await api.call("DELETE", `/library/files/${file.id}/override`);
    } catch (error) {
      toast({ title: t("action.failed"), text: error.message, type: "error" });
    }
    button.disabled = false;
    await this.loadLists();
  }

  changed() {
    return Promise.all([this.load(), this.loadLists()]);
  }

  turn(event, name, step) {
    event.preventDefault();
    this.pages[name] += step;
    this.loadList(name);
  }

  loadLists() {
    return Promise.all(Object.keys(drawers).map((name) => this.loadList(name)));
  }

  async loadList(name) {
    try {
      const { data } = await api.get(`/library/${name}?page=${this.pages[name]}&page_size=${PAGE_SIZE}`);
      if (data.items.length || this.pages[name] === 1) return this.drawList(name, data);
      this.pages[name] = Math.max(1, data.total_pages);
      await this.loadList(name);
    } catch (error) {
      toast({ title: t("action.failed"), text: error.message, type: "error" });
    }
  }

  drawList(name, page) {
    if (name === "unparsed") this.files = page.items;
    this.lists[name].update(page.items, (item) => item.id ?? item.files.map(({ id }) => id).join());
    setText(find("total", name), number(page.total));
    show(find("empty", name), !page.total);
    const pager = find("pager", name);
    show(pager, page.total_pages > 1);
    show(pager.querySelector("[data-prev]"), page.page > 1);
    show(pager.querySelector("[data-next]"), page.page < page.total_pages);
    const first = (page.page - 1) * page.page_size + 1;
    setText(pager.querySelector("[data-at]"), t("queue.at", { first, last: first + page.items.length - 1, total: number(page.total) }));
  }
}

const isOpen = ({ scan }) => OPEN.has(scan?.state);

/** The same as web/library_paint.py writes. */
function scanText({ scan, scanned_at: at, status }) {
  if (scan?.state === "queued") return t("library.queued");
  if (scan?.state === "running") return scan.total ? `${number(scan.done)} / ${number(scan.total)}` : t("library.scanning");
  if (status === "stale" || !at) return t(status === "stale" ? "library.stale" : "library.never");
  return t("library.scanned", { time: moment(at) });
}

function watchText({ watch }) {
  if (!watch?.folders) return "";
  if (!watch.reason && watch.watched) return t("library.watched");
  return t("library.watched_part", { n: watch.watched, of: watch.folders, reason: watch.reason ? t(`library.watch_${watch.reason}`) : "" });
}

function drawFile(row, file) {
  setAttr(row, "data-id", file.id);
  setAttr(row, "data-overridden", file.overridden);
  setSlot(row, "path", file.path);
  setSlot(row, "is", file.overridden ? workText(file) : rootName(file.root_kind, file.root));
  show(row.querySelector('[data-act="forget"]'), file.overridden);
  for (const button of row.querySelectorAll("[data-act]")) setAttr(button, "aria-label", `${button.textContent}: ${file.path}`);
}

function drawWork(row, work) {
  setSlot(row, "title", workText(work));
  setSlot(row, "count", t("library.copies", { n: work.files.length }));
  row.copies ??= new Rows(row.querySelector("[data-copies]"), template("copy"), drawCopy);
  row.copies.update(work.files, ({ id }) => id);
}

function drawCopy(row, file) {
  setSlot(row, "path", file.path);
  setSlot(row, "quality", qualityText(file));
  setSlot(row, "size", size(file.size_bytes));
}

new Library().start();
startShell({ topics: ["system", "notifications", "dashboard"] });
