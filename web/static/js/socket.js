/* One WebSocket that comes back by itself for as long as the page is open: backoff with jitter, heartbeats. */

const LONGEST_WAIT_MS = 30000;
const PING_AFTER_MS = 15000;
// The server's clock is asked for as often, to notice one that was set back.
const PING_AT_LEAST_MS = 60000;
const GIVE_UP_AFTER_MS = 25000;
const OPEN_WITHIN_MS = 10000;
const ANSWER_WITHIN_MS = 4000;
const SESSION_OVER = 4401;

export class Socket {
  /** `onMessage` gets what the server says, `onState` {state, nextAt?, failures?} of the connection. */
  constructor({ onMessage, onState }) {
    this.onMessage = onMessage;
    this.onState = onState;
    this.socket = null;
    this.topics = new Set();
    this.failures = 0;
    this.heardAt = 0;
    this.pingedAt = 0;
    this.timer = 0;
    this.over = false;
    setInterval(() => this.watch(), 5000);
  }

  /** Follows these topics, and no others, from now on. */
  follow(topics) {
    const wanted = new Set(topics);
    this.say("unsubscribe", [...this.topics].filter((topic) => !wanted.has(topic)));
    this.say("subscribe", [...wanted].filter((topic) => !this.topics.has(topic)));
    this.topics = wanted;
  }

  /** Has a topic sent whole again. */
  again(topic) {
    this.say("subscribe", [topic]);
  }

  /** Connects at once unless it is connected or doing so already. */
  now() {
    if (this.socket || this.over) return;
    clearTimeout(this.timer);
    this.connect();
  }

  /** Somebody looks again: the socket may have died unnoticed while the device slept. */
  wake() {
    if (!this.socket) this.now();
    else if (performance.now() - this.heardAt > PING_AFTER_MS) this.probe();
  }

  /** Ends it; `now` begins anew unless the session is over. */
  drop({ over = false } = {}) {
    clearTimeout(this.timer);
    this.over ||= over;
    const socket = this.socket;
    this.socket = null;
    socket?.close();
  }

  connect() {
    this.onState({ state: "connecting" });
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${location.host}/api/ws/ws`);
    this.socket = socket;
    this.heardAt = performance.now();
    const late = setTimeout(() => socket.readyState === WebSocket.CONNECTING && this.lost(socket), OPEN_WITHIN_MS);
    socket.onopen = () => this.socket === socket && this.say("subscribe", [...this.topics]);
    socket.onmessage = (event) => this.heard(socket, event.data);
    socket.onclose = (event) => {
      clearTimeout(late);
      this.lost(socket, event.code);
    };
  }

  heard(socket, text) {
    if (this.socket !== socket) return;
    this.heardAt = performance.now();
    const message = JSON.parse(text);
    if (message.type === "subscribed") {
      this.failures = 0;
      this.onState({ state: "live" });
    }
    this.onMessage(message);
  }

  lost(socket, code) {
    if (this.socket !== socket) return;
    this.drop();
    if (code === SESSION_OVER) this.over = true;
    if (this.over) {
      this.onState({ state: "signed-out" });
      return;
    }
    const wait = Math.min(LONGEST_WAIT_MS, 1000 * 2 ** this.failures) * (0.5 + Math.random() / 2);
    this.failures = Math.min(this.failures + 1, 10);
    this.onState({ state: "waiting", nextAt: Date.now() + wait, failures: this.failures });
    this.timer = setTimeout(() => this.connect(), wait);
  }

  say(type, topics) {
    if (topics.length) this.send({ type, topics, deltas: true });
  }

  send(message) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  watch() {
    const silent = performance.now() - this.heardAt;
    const isDue = performance.now() - this.pingedAt > PING_AT_LEAST_MS;
    if (!this.socket || (silent < PING_AFTER_MS && !isDue)) return;
    // A hidden tab's timers run once a minute: only an answer that stays away tells.
    if (document.hidden) this.probe();
    else if (silent > GIVE_UP_AFTER_MS) this.lost(this.socket);
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
    setTimeout(() => this.heardAt === asked && this.lost(socket), ANSWER_WITHIN_MS);
  }
}
