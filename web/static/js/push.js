/* The switch in the bell that lets this browser be told while VabHub is not open. */
import * as api from "./api.js";
import { setAttr, setText, show } from "./dom.js";
import { t } from "./i18n.js";
import { toast } from "./toast.js";

const TOLD = "vabhub.push.told";

class Push {
  constructor(button, hint) {
    this.button = button;
    this.hint = hint;
    this.subscription = null;
  }

  async start() {
    // Over plain HTTP from another machine the browser has no push at all.
    if (!globalThis.isSecureContext) return this.explain("push.insecure");
    if (!("serviceWorker" in navigator) || !("PushManager" in globalThis)) return undefined;
    this.button.addEventListener("click", () => this.toggle());
    const worker = await navigator.serviceWorker.getRegistration("/");
    const subscription = worker ? await worker.pushManager.getSubscription() : null;
    this.draw(subscription);
    show(this.button, true);
    // A database that was restored may have forgotten this browser. Once a session; the next page tries again.
    if (subscription && !sessionStorage.getItem(TOLD)) await this.tell(subscription).catch(() => null);
    return undefined;
  }

  async tell(subscription) {
    const { endpoint, keys } = subscription.toJSON();
    const answer = await api.post("/push/subscriptions", { endpoint, keys });
    sessionStorage.setItem(TOLD, "yes");
    return answer.data.channel;
  }

  explain(key) {
    setText(this.hint, t(key));
    show(this.hint, true);
  }

  draw(subscription) {
    this.subscription = subscription;
    setText(this.button, t(subscription ? "push.off" : "push.on"));
    setAttr(this.button, "data-on", Boolean(subscription));
  }

  async toggle() {
    this.button.disabled = true;
    try {
      await (this.subscription ? this.stop() : this.begin());
    } catch (error) {
      toast({ title: t("push.failed"), text: error.message, type: "error" });
    } finally {
      this.button.disabled = false;
    }
  }

  async begin() {
    if ((await Notification.requestPermission()) !== "granted") return this.explain("push.denied");
    show(this.hint, false);
    const [worker, { data }] = await Promise.all([this.worker(), api.get("/push/key")]);
    const options = { userVisibleOnly: true, applicationServerKey: bytes(data.public_key) };
    const subscription = await worker.pushManager.subscribe(options);
    const channel = await this.tell(subscription);
    this.draw(subscription);
    return toast({ title: t("push.done.title"), text: t("push.done.text", { channel }), type: "success" });
  }

  async worker() {
    await navigator.serviceWorker.register("/sw.js");
    return navigator.serviceWorker.ready;
  }

  async stop() {
    const { endpoint } = this.subscription;
    await this.subscription.unsubscribe();
    sessionStorage.removeItem(TOLD);
    this.draw(null);
    await api.call("DELETE", "/push/subscriptions", { endpoint }).catch((error) => {
      if (error.status !== 404) throw error; // forgotten already, as it should be
    });
  }
}

function bytes(base64url) {
  const text = atob(base64url.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}

export function startPush() {
  const button = document.querySelector("[data-push]");
  return new Push(button, document.querySelector("[data-push-hint]")).start();
}
