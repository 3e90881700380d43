/* Tabs of one browser share one socket: the tab that holds a lock has it, the others hear from that tab.
   Where the browser has no locks (plain HTTP from another machine), each tab leads itself. */

const NAME = "vabhub-live";
const BEAT_MS = 10000;
const SILENT_MS = 90000; // a hidden tab's timers run once a minute

export class Tabs {
  /** `onLead` is called when this tab becomes the one with the socket, `onCall` with {from, kind, …}. */
  constructor({ onLead, onDeposed, onCall }) {
    this.id = crypto.getRandomValues(new Uint32Array(2)).join("-");
    this.leads = false;
    this.onLead = onLead;
    this.onDeposed = onDeposed;
    this.heardAt = performance.now();
    this.channel = navigator.locks && globalThis.BroadcastChannel ? new BroadcastChannel(NAME) : null;
    this.channel?.addEventListener("message", ({ data }) => {
      this.heardAt = performance.now();
      if (data.from !== this.id && (!data.to || data.to === this.id)) onCall(data);
    });
  }

  start() {
    if (!this.channel) {
      this.lead();
      return;
    }
    this.apply({});
    setInterval(() => (this.leads ? this.call("beat") : this.doubt()), BEAT_MS);
    addEventListener("pagehide", () => this.call("bye"));
  }

  call(kind, more = {}) {
    this.channel?.postMessage({ ...more, kind, from: this.id });
  }

  /** Waits for the lock; with `steal` takes it from a tab that has fallen silent. */
  apply(options) {
    const held = () => {
      this.lead();
      return new Promise(() => {}); // until this tab is closed
    };
    navigator.locks.request(NAME, options, held).catch(() => {
      this.leads = false;
      this.onDeposed();
      this.apply({});
    });
  }

  lead() {
    this.leads = true;
    this.onLead();
  }

  doubt() {
    if (document.hidden || performance.now() - this.heardAt < SILENT_MS) return;
    this.heardAt = performance.now();
    this.apply({ steal: true });
  }
}
