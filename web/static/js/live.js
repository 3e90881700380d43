/* The live connection of this page: what it wants, from its own socket or from the tab that has one. */
import * as clock from "./clock.js";
import { patched } from "./patch.js";
import { Socket } from "./socket.js";
import * as store from "./store.js";
import { Tabs } from "./tabs.js";

const TOPICS = ["system", "dashboard", "downloads", "notifications"];
const REST_AFTER_MS = 30000;

class Live {
  constructor() {
    this.topics = [];
    this.wanted = new Map(); // tab → topics; only where this tab has the socket
    this.last = new Map(); // topic → its newest whole message
    this.state = { state: "connecting" };
    this.rest = 0;
    this.resting = false;
  }

  start(topics = TOPICS) {
    this.topics = topics;
    this.socket = new Socket({ onMessage: (message) => this.heard(message), onState: (state) => this.changed(state) });
    this.tabs = new Tabs({ onLead: () => this.lead(), onDeposed: () => this.socket.drop(), onCall: (call) => this.called(call) });
    addEventListener("online", () => this.now());
    addEventListener("pageshow", (event) => event.persisted && this.now());
    document.addEventListener("visibilitychange", () => this.looked());
    store.on("session", () => this.end());
    this.tabs.start();
    this.want(topics);
    if (document.hidden) this.looked();
  }

  /** Connects at once unless it is connected or doing so already. */
  now() {
    if (this.tabs.leads) this.socket.now();
    else this.tabs.call("now");
  }

  /** Nobody looks: after a while nothing is asked for. Somebody does: it is all asked for again. */
  looked() {
    clearTimeout(this.rest);
    if (document.hidden) {
      this.rest = setTimeout(() => this.doze(), REST_AFTER_MS);
      return;
    }
    // Nothing was asked for meanwhile, so nothing is late yet.
    if (this.resting) store.set("resumed", clock.now());
    this.resting = false;
    this.want(this.topics);
    if (this.tabs.leads) this.socket.wake();
    else this.tabs.call("wake");
  }

  doze() {
    this.resting = true;
    this.want([]);
  }

  want(topics) {
    if (this.tabs.leads) this.note(this.tabs.id, topics);
    else this.tabs.call("want", { topics });
  }

  lead() {
    this.wanted.clear();
    this.tabs.call("lead");
    this.want(this.resting ? [] : this.topics);
    this.socket.now();
  }

  note(tab, topics) {
    this.wanted.set(tab, topics);
    this.socket.follow([...this.wanted.values()].flat());
  }

  /** Another tab speaks: to the one with the socket, or as that one. */
  called({ from, kind, topics, message, state }) {
    if (kind === "message") this.take(message);
    else if (kind === "state") this.show(state);
    else if (kind === "lead") this.want(this.resting ? [] : this.topics);
    else if (this.tabs.leads) this.asked(from, kind, topics);
  }

  asked(from, kind, topics) {
    if (kind === "now") this.socket.now();
    if (kind === "wake") this.socket.wake();
    if (kind === "bye") this.note(from, []);
    if (kind !== "want") return;
    this.note(from, topics);
    this.tabs.call("state", { to: from, state: this.state });
    for (const topic of topics) if (this.last.has(topic)) this.tabs.call("message", { to: from, message: this.last.get(topic) });
  }

  /** The socket has heard something. */
  heard(message) {
    const whole = message.base_seq === undefined ? message : this.mend(message);
    if (!whole) {
      this.socket.again(message.topic);
      return;
    }
    if (whole.topic && whole.seq !== undefined) this.last.set(whole.topic, whole);
    this.take(whole);
    this.tabs.call("message", { message: whole });
  }

  /** Returns the whole message of a change, null when that belongs to a list that is not held. */
  mend(message) {
    const held = this.last.get(message.topic);
    if (held?.seq !== message.base_seq) return null;
    return { ...message, type: "download_update", data: patched(held.data, message.data) };
  }

  take(message) {
    if (message.timestamp) clock.adjust(message.timestamp, message.seq === undefined);
    if (message.type === "status") store.set(`source:${message.source}`, message.state);
    // The server dropped what this page was too slow for: what may not be lost is read by REST.
    else if (message.type === "resync") store.set(`resync:${message.topic}`, Date.now());
    else if (message.topic) store.set(`frame:${message.topic}`, message);
  }

  /** The socket's state has changed. */
  changed(state) {
    this.state = state;
    this.show(state);
    this.tabs.call("state", { state });
  }

  show(state) {
    if (state.state === "signed-out") store.set("session", "over");
    // A new connection is told when Redis is away.
    if (state.state === "connecting" && store.get("source:redis") === "down") store.set("source:redis", "up");
    // A refused handshake has no readable reason: after two, ask whether the session still holds.
    if (state.failures === 2) store.set("ask-session", Date.now());
    store.set("connection", state);
  }

  /** Ends the socket for good: the session is over. */
  end() {
    this.socket.drop({ over: true });
    store.set("connection", { state: "signed-out" });
  }
}

export const live = new Live();
