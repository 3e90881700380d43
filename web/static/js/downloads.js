/* The downloads' page: the merged list of all clients, found, sorted, and acted on, one by one or many at once. */
import { can, drawActs, keyOf, request, stateText } from "./download-acts.js";
import { setAttr, setBar, setSlot, setText, show, slot } from "./dom.js";
import { UNKNOWN, duration, isNumber, number, percent, rate, size } from "./format.js";
import { t } from "./i18n.js";
import { startShell } from "./shell.js";
import { tile } from "./tile.js";
import { WindowRows } from "./window-rows.js";

const GROUPS = {
  active: new Set(["checking", "downloading", "metadata", "moving", "stalled"]),
  held: new Set(["queued", "paused"]),
  completed: new Set(["completed", "seeding"]),
  failed: new Set(["error"]),
};
const ACTS = ["pause", "resume", "delete"];
const find = (name) => document.querySelector(`[data-${name}]`);
const words = new Intl.Collator(undefined, { sensitivity: "base" });

class Downloads {
  constructor() {
    this.query = queryOf(location.search);
    this.items = [];
    this.shown = [];
    this.clients = {};
    this.chosen = new Set();
    this.rows = new WindowRows(find("list"), document.querySelector('template[data-row="download"]'), (row, item) => this.drawRow(row, item), keyOf);
  }

  start() {
    tile("downloads-page", (data, root, meta) => this.take(data, meta));
    const { search, instance, sort, order, all } = Object.fromEntries(["search", "instance", "sort", "order", "all"].map((name) => [name, find(name)]));
    search.value = this.query.q;
    sort.value = this.query.sort;
    search.addEventListener("input", () => this.show({ q: search.value }));
    instance.addEventListener("change", () => this.show({ instance: instance.value }));
    sort.addEventListener("change", () => this.show({ sort: sort.value }));
    order.addEventListener("click", () => this.show({ down: !this.query.down }));
    all.addEventListener("change", () => this.choose(this.shown, all.checked));
    for (const act of ACTS) document.querySelector(`[data-bulk="${act}"]`).addEventListener("click", () => this.act(act));
    for (const link of document.querySelectorAll("[data-group]")) {
      link.addEventListener("click", (event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey) return;
        event.preventDefault();
        this.show({ state: link.dataset.group });
      });
    }
  }

  take(data, meta) {
    this.items = data.items ?? [];
    this.clients = data.downloaders ?? {};
    this.isKnown = meta.status !== "unconfigured" && Boolean(data.items);
    const there = new Set(this.items.map(keyOf));
    for (const key of this.chosen) if (!there.has(key)) this.chosen.delete(key);
    setText(find("sum"), `↓ ${rate(data.download_bps)} · ↑ ${rate(data.upload_bps)}`);
    this.draw();
  }

  show(changes) {
    Object.assign(this.query, changes);
    history.replaceState(null, "", addressOf(this.query));
    this.draw();
  }

  draw() {
    const { q, instance, state } = this.query;
    const text = q.toLocaleLowerCase();
    const found = this.items.filter((item) => (!instance || item.instance === instance) && (!text || item.name.toLocaleLowerCase().includes(text)));
    this.drawGroups(found);
    this.shown = sorted(found.filter((item) => inGroup(state, item)), this.query);
    this.rows.update(this.shown);
    this.drawChoice();
    show(find("empty"), !this.shown.length);
    setText(find("empty"), this.items.length ? t("downloads.none_here") : t("downloads.empty"));
  }

  drawGroups(found) {
    for (const link of document.querySelectorAll("[data-group]")) {
      const { group } = link.dataset;
      const count = found.filter((item) => inGroup(group, item)).length;
      setText(link.querySelector("[data-count]"), this.isKnown ? number(count) : UNKNOWN);
      setAttr(link, "href", addressOf({ ...this.query, state: group }));
      if (group === this.query.state) setAttr(link, "aria-current", "true");
      else link.removeAttribute("aria-current");
    }
    setText(find("order"), this.query.down ? "↓" : "↑");
    this.drawInstances();
  }

  drawInstances() {
    const select = find("instance");
    const names = Object.keys(this.clients);
    if (this.query.instance && !names.includes(this.query.instance)) names.push(this.query.instance);
    const known = [...select.options].slice(1).map((option) => option.value);
    if (String(names) !== String(known)) select.replaceChildren(select.options[0], ...names.map((name) => new Option(name, name)));
    select.value = this.query.instance;
  }

  drawChoice() {
    const chosen = this.chosenItems();
    const all = find("all");
    all.checked = chosen.length > 0 && this.shown.every((item) => this.chosen.has(keyOf(item)));
    all.indeterminate = chosen.length > 0 && !all.checked;
    setText(find("chosen"), chosen.length ? t("downloads.chosen", { n: number(chosen.length) }) : t("downloads.choose_all", { n: number(this.shown.length) }));
    show(find("bulk-acts"), chosen.length > 0);
    for (const act of ACTS) document.querySelector(`[data-bulk="${act}"]`).disabled = !chosen.some((item) => can(act, item, this.clients));
  }

  chosenItems() {
    return this.items.filter((item) => this.chosen.has(keyOf(item)));
  }

  choose(items, yes) {
    for (const item of items) this.chosen[yes ? "add" : "delete"](keyOf(item));
    this.rows.render();
    this.drawChoice();
  }

  async act(act) {
    await request(act, this.chosenItems(), this.clients, () => this.draw());
  }

  drawRow(row, item) {
    setAttr(row, "data-state", item.state);
    const check = slot(row, "check");
    check.checked = this.chosen.has(keyOf(item));
    check.onchange = () => this.choose([item], check.checked);
    setAttr(check, "aria-label", t("downloads.choose", { name: item.name }));
    setSlot(row, "name", item.name);
    setAttr(slot(row, "name"), "title", item.name);
    const done = isNumber(item.progress) ? item.progress * 100 : null;
    setBar(row.querySelector(".bar"), done);
    setSlot(row, "state", stateText(item));
    setSlot(row, "percent", percent(done));
    setSlot(row, "size", size(item.size_bytes));
    setSlot(row, "down", `↓ ${rate(item.download_bps)}`);
    setSlot(row, "up", `↑ ${rate(item.upload_bps)}`);
    setSlot(row, "eta", duration(item.eta_s));
    setSlot(row, "instance", item.instance);
    drawActs(row, item, this.clients, () => this.draw());
  }
}

const inGroup = (group, item) => !GROUPS[group] || GROUPS[group].has(item.state);

/** Sorts by the chosen field; what is not known comes last in either direction. */
function sorted(items, { sort, down }) {
  const turn = down ? -1 : 1;
  const compare = (a, b) => {
    const [one, two] = [a[sort], b[sort]];
    if (one === two || (one == null && two == null)) return words.compare(a.name, b.name);
    if (one == null || two == null) return one == null ? 1 : -1;
    return turn * (isNumber(one) ? one - two : words.compare(one, two));
  };
  return items.sort(compare);
}

function queryOf(search) {
  const given = new URLSearchParams(search);
  const state = given.get("state") in GROUPS ? given.get("state") : "all";
  return { q: given.get("q") ?? "", instance: given.get("instance") ?? "", state, sort: given.get("sort") ?? "name", down: given.get("order") === "desc" };
}

function addressOf({ q, instance, state, sort, down }) {
  const query = new URLSearchParams();
  if (q) query.set("q", q);
  if (instance) query.set("instance", instance);
  if (state !== "all") query.set("state", state);
  if (sort !== "name") query.set("sort", sort);
  if (down) query.set("order", "desc");
  return query.size ? `/downloads?${query}` : "/downloads";
}

new Downloads().start();
// The overview confirms a list that does not change; the machine's numbers show that the socket lives.
startShell({ topics: ["downloads", "dashboard", "system", "notifications"] });
