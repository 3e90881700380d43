/* The live socket: subscribes, follows, and comes back by itself for as long as the page is open. */
import * as clock from "./clock.js";
import { patched } from "./patch.js";
import * as store from "./store.js";

const TOPICS = ["system", "dashboard", "downloads", "notifications"];
const LONGEST_WAIT_MS = 30000;
const PING_AFTER_MS = 15000;
const GIVE_UP_AFTER_MS = 25000;
const OPEN_WITHIN_MS = 10000;
// The server's clock is asked for as often, to notice one that was set back.
const PING_AT_LEAST_MS = 60000;
// A tab that nobody looks at follows nothing: the sources rest when no page is left.
const REST_AFTER_MS = 30000;
const SESSION_OVER = 4401;

class Live {
  constructor() {
    this.socket = null;
    this.failures = 0;
    this.heardAt = 0;
    this.pingedAt = 0;
    this.timer = 0;
    this.restTimer = 0;
    this.resting = false;
  }

  start(topics = TOPICS) {
    this.topics = topics;
    addEventListener("online", () => this.now());
    addEventListener("pageshow", (event) => event.persisted && this.now());
    document.addEventListener("visibilitychange", () => (document.hidden ? this.doze() : this.wake()));
    setInterval(() => this.watch(), 5000);
    store.on("session", () => this.drop());
    this.connect();
  }

  /** Connects at once unless it is connected or doing so already. */
  now() {
    if (this.socket || store.get("session") === "over") return;
    clearTimeout(this.timer);
    this.connect();
  }

  doze() {
    clearTimeout(this.restTimer);
    this.restTimer = setTimeout(() => {
      this.resting = true;
      this.send({ type: "unsubscribe", topics: this.topics });
    }, REST_AFTER_MS);
  }

  /** The tab is looked at again: the socket may have died unnoticed while the device slept. */
  wake() {
    clearTimeout(this.restTimer);
    if (this.resting) {
      this.resting = false;
      // Nothing was asked for, so nothing is late yet.
      store.set("resumed", clock.now());
      this.subscribe();
    }
    if (!this.socket) this.now();
    else if (performance.now() - this.heardAt > PING_AFTER_MS) this.probe();
  }

  connect() {
    store.set("connection", { state: "connecting" });
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${location.host}/api/ws/ws`);
    this.socket = socket;
    this.heardAt = performance.now();
    const late = setTimeout(() => this.socket === socket && socket.readyState === 0 && this.lost(socket), OPEN_WITHIN_MS);
    socket.onopen = () => this.opened(socket);
    socket.onmessage = (event) => this.heard(socket, event.data);
    socket.onclose = (event) => {
      clearTimeout(late);
      this.lost(socket, event.code);
    };
  }

  opened(socket) {
    if (this.socket === socket && !this.resting) this.subscribe();
  }

  subscribe(topics = this.topics) {
    this.send({ type: "subscribe", topics, deltas: true });
  }

  heard(socket, text) {
    if (this.socket !== socket) return;
    this.heardAt = performance.now();
    let message;
    try {
      message = JSON.parse(text);
    } catch {
      return;
    }
    if (message.timestamp) clock.adjust(message.timestamp, message.seq === undefined);
    if (message.type === "subscribed") {
      this.failures = 0;
      store.set("source:redis", "up");
      store.set("connection", { state: "live" });
    } else if (message.type === "status") {
      store.set(`source:${message.source}`, message.state);
    } else if (message.type === "resync") {
      // The server dropped what this page was too slow for: what may not be lost is read by REST.
      store.set(`resync:${message.topic}`, Date.now());
    } else if (message.type === "download_patch") {
      this.mend(message);
    } else if (message.topic) {
      store.set(`frame:${message.topic}`, message);
    }
  }

  /** Adds a change to the list it belongs to; after a missed one the whole list is asked for. */
  mend(message) {
    const held = store.get("frame:downloads");
    if (held?.seq !== message.base_seq) return this.subscribe(["downloads"]);
    return store.set("frame:downloads", { ...message, data: patched(held.data, message.data) });
  }

  lost(socket, code) {
    if (this.socket !== socket) return;
    this.socket = null;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
    if (code === SESSION_OVER) store.set("session", "over");
    if (store.get("session") === "over") return;
    const wait = Math.min(LONGEST_WAIT_MS, 1000 * 2 ** this.failures) * (0.5 + Math.random() / 2);
    this.failures = Math.min(this.failures + 1, 10);
    // A refused handshake has no readable reason: after two, ask whether the session still holds.
    if (this.failures === 2) store.set("ask-session", Date.now());
    store.set("connection", { state: "waiting", nextAt: Date.now() + wait });
    this.timer = setTimeout(() => this.connect(), wait);
  }

  /** Ends the socket for good: the session is over. */
  drop() {
    clearTimeout(this.timer);
    const socket = this.socket;
    this.socket = null;
    socket?.close();
    store.set("connection", { state: "signed-out" });
  }

  send(message) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  watch() {
    const now = performance.now();
    const silent = now - this.heardAt;
    if (!this.socket || (silent < PING_AFTER_MS && now - this.pingedAt < PING_AT_LEAST_MS)) return;
    if (silent > GIVE_UP_AFTER_MS && !document.hidden) this.lost(this.socket);
    else this.ping();
  }

  ping() {
    this.pingedAt = performance.now();
    this.send({ type: "ping" });
  }

  probe() {
    const socket = this.socket;
    const asked = this.heardAt;
    this.ping();
    setTimeout(() => this.socket === socket && this.heardAt === asked && this.lost(socket), 4000);
  }
}

export const live = new Live();
