/* Resending all that failed: counts them, asks, and starts exactly those anew. */
import * as api from "./api.js";
import { setText, show } from "./dom.js";
import { t } from "./i18n.js";
import { toast } from "./toast.js";
import { faultOf } from "./words.js";

// In pieces, so that nobody else who writes has to wait for long.
const SLICE = 100;

/** `channelOf()` is the filter that holds; `done()` is called when something has changed. */
export function startBulk(channelOf, done) {
  const find = (name) => document.querySelector(`[data-${name}]`);
  const dialog = find("confirm");
  const form = find("bulk");
  let counted = null;

  const fault = (text) => {
    setText(find("confirm-error"), text);
    show(find("confirm-error"), Boolean(text));
  };

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const channel = channelOf();
    try {
      const { data } = await api.get(`/deliveries/counts${channel ? `?${new URLSearchParams({ channel })}` : ""}`);
      counted = { channel, n: data.states.dead, at: data.as_of };
    } catch (error) {
      toast({ title: t("action.failed"), text: error.message, type: "error" });
      return;
    }
    const { n } = counted;
    setText(find("confirm-title"), n ? t("queue.confirm_title", { n }) : t("queue.confirm_none"));
    setText(find("confirm-text"), channel ? t("queue.confirm_channel", { channel }) : t("queue.confirm_all"));
    setText(find("confirm-yes"), t("queue.confirm_yes", { n }));
    show(find("confirm-text"), n > 0);
    show(find("confirm-yes"), n > 0);
    fault("");
    dialog.showModal();
  });

  find("confirm-yes").addEventListener("click", async ({ target }) => {
    target.disabled = true;
    try {
      const n = await resend(counted);
      dialog.close();
      toast({ title: t("queue.resent", { n }), type: "success" });
    } catch (error) {
      fault(faultOf(error));
    }
    target.disabled = false;
    done();
  });

  dialog.addEventListener("close", () => {
    const button = form.querySelector("button");
    (button.checkVisibility() ? button : document.querySelector("#main")).focus();
  });
}

async function resend({ channel, n, at }) {
  let left = n;
  while (left > 0) {
    const body = { died_by: at, limit: Math.min(SLICE, left), ...(channel ? { channel } : {}) };
    const { count } = (await api.post("/deliveries/retry", body)).data;
    left -= count;
    if (!count) break;
  }
  return n - left;
}
