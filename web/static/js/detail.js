/* One notification, live: its message, and per channel a timeline of attempts with what can be done. */
import * as api from "./api.js";
import { now, onTick } from "./clock.js";
import { Rows, setAttr, setSlot, setText, show, slot } from "./dom.js";
import { follow } from "./follow.js";
import { isNumber, moment, span, took } from "./format.js";
import { t } from "./i18n.js";
import { canCancel, canRetry, faultOf, nextText, outcomeText, retryText, thenText, waits, wordOf } from "./words.js";

const DUE_AFTER_MS = 1200;
const LINKABLE = ["http:", "https:"];

export class Detail {
  /** `onDrawn(note)` hears of every drawing, `onGone()` that it was deleted or never was. */
  constructor(root, { onDrawn = () => {}, onGone = () => {} } = {}) {
    Object.assign(this, { root, onDrawn, onGone });
    this.id = null;
    this.note = null;
    this.asked = "";
    const template = (name) => root.querySelector(`template[data-row="${name}"]`);
    this.attemptTemplate = template("attempt");
    this.ways = new Rows(root.querySelector("[data-ways]"), template("way"), (row, way) => this.drawWay(row, way));
    this.attempts = new WeakMap();
    this.soon = follow(() => this.load(), (data) => this.concerns(data));
    for (const button of root.querySelectorAll("[data-all]")) {
      button.onclick = () => this.act(button, `/notifications/${this.id}/${button.dataset.all}`);
    }
    onTick(() => this.note && this.tick());
  }

  concerns({ event, notification }) {
    return this.id !== null && (notification ? notification.id === this.id : event === "deleted");
  }

  /** Shows `note`, or what of it is known until all is read. */
  open(id, note = null) {
    this.id = id;
    this.note = null;
    this.fault("");
    if (note) this.draw(note);
    return this.load();
  }

  close() {
    this.id = this.note = null;
  }

  async load() {
    const id = this.id;
    if (id === null) return;
    try {
      const { data } = await api.get(`/notifications/${id}`);
      if (this.id !== id) return;
      if (this.failing) this.fault("");
      this.failing = false;
      this.draw(data);
    } catch (error) {
      if (this.id !== id) return;
      this.failing = true;
      if (error.status === 404) this.onGone();
      this.fault(error.status === 404 ? t("detail.gone") : t("detail.failed", { error: error.message }));
    }
  }

  draw(note) {
    const { root } = this;
    this.note = note;
    setAttr(root, "data-type", note.type);
    for (const name of ["type", "priority", "status"]) setSlot(root, name, wordOf(name, note[name]));
    show(slot(root, "priority"), note.priority !== "normal");
    setAttr(slot(root, "status"), "data-status", note.status);
    setSlot(root, "title", note.title);
    setSlot(root, "message", note.message ?? "");
    setSlot(root, "created", moment(note.created_at));
    setSlot(root, "planned", note.send_at ? t("detail.planned", { time: moment(note.send_at) }) : "");
    show(slot(root, "planned"), Boolean(note.send_at));
    this.drawLink(note.link);
    this.ways.update(note.deliveries, (way) => way.id);
    this.drawAll(note.deliveries);
    this.tick();
    this.onDrawn(note);
  }

  /** Only a page may be linked: a link from outside must not run anything here. */
  drawLink(link) {
    const safe = link && URL.canParse(link) && LINKABLE.includes(new URL(link).protocol);
    show(this.root.querySelector("[data-link-row]"), Boolean(safe));
    if (!safe) return;
    setAttr(slot(this.root, "link"), "href", link);
    setSlot(this.root, "link", link);
  }

  drawAll(ways) {
    const several = (fits) => ways.filter(fits).length > 1;
    const settled = ways.every(({ status }) => ["delivered", "dead", "cancelled"].includes(status));
    show(this.root.querySelector('[data-all="cancel"]'), several(canCancel));
    show(this.root.querySelector('[data-all="resend"]'), settled && several(canRetry));
  }

  drawWay(row, way) {
    setAttr(row, "data-state", way.status);
    setSlot(row, "channel", way.channel);
    setSlot(row, "state", wordOf("delivery", way.status));
    setText(row.querySelector('[data-act="retry"]'), retryText(way));
    for (const [name, fits] of [["cancel", canCancel], ["retry", canRetry]]) {
      const button = row.querySelector(`[data-act="${name}"]`);
      show(button, fits(way));
      button.onclick = () => this.act(button, `/deliveries/${way.id}/${name}`);
    }
    if (!this.attempts.has(row)) {
      this.attempts.set(row, new Rows(row.querySelector("[data-attempts]"), this.attemptTemplate, drawAttempt));
    }
    if (way.attempts) this.attempts.get(row).update([...way.attempts].reverse(), (attempt) => attempt.number);
  }

  tick() {
    setSlot(this.root, "ago", span(Math.max(0, now() - Date.parse(this.note.created_at)), "ago"));
    for (const way of this.note.deliveries) {
      const row = this.ways.byKey.get(way.id);
      if (row) setSlot(row, "next", nextText(way));
      this.askWhenDue(way);
    }
  }

  /** The start of an attempt has no event of its own: its time is known, so it is looked at once then. */
  askWhenDue(way) {
    const key = `${way.id} ${way.next_attempt_at}`;
    if (!waits(way) || key === this.asked || now() - Date.parse(way.next_attempt_at) < DUE_AFTER_MS) return;
    this.asked = key;
    this.soon();
  }

  async act(button, path) {
    button.disabled = true;
    this.fault("");
    try {
      await api.post(path);
    } catch (error) {
      this.fault(faultOf(error));
    }
    await this.load();
    button.disabled = false;
    // The button may have gone with the state that it was for.
    if (button.hidden && !this.root.contains(document.activeElement)) slot(this.root, "title").focus();
  }

  fault(text) {
    const line = this.root.querySelector("[data-error]");
    setText(line, text);
    show(line, Boolean(text));
  }
}

function drawAttempt(row, attempt) {
  setAttr(row, "data-outcome", attempt.outcome ?? (attempt.finished_at ? "unknown" : "running"));
  setSlot(row, "outcome", outcomeText(attempt));
  const { provider_status: status, duration_ms: ms } = attempt;
  setSlot(row, "status", isNumber(status) ? t("attempt.status", { status }) : "");
  setSlot(row, "number", t("attempt.number", { n: attempt.number }));
  setSlot(row, "when", moment(attempt.started_at));
  setSlot(row, "took", isNumber(ms) ? took(ms) : "");
  const then = thenText(attempt);
  setSlot(row, "then", then);
  show(slot(row, "then"), Boolean(then));
  const { template_error: error } = attempt;
  setSlot(row, "template", error ? t("attempt.template", { error }) : "");
  show(slot(row, "template"), Boolean(error));
  setSlot(row, "text", attempt.text ?? "");
  show(row.querySelector("[data-answer]"), Boolean(attempt.text));
}
