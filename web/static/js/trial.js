/* What a test message came to, in words, with the provider's own below. */
import { took } from "./format.js";
import { t } from "./i18n.js";
import { outcomeText } from "./words.js";

export function toldOf({ ok, healed, outcome, provider_status: status, text, duration_ms: ms }) {
  if (ok) return { ok, head: t(healed ? "channel.test_healed" : "channel.test_ok", { time: took(ms) }), said: "" };
  const head = t("channel.test_failed", { why: outcomeText({ outcome }) });
  return { ok, head: status ? `${head} (${status})` : head, said: text };
}
