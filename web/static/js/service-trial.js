/* How the try of a service ended, in words: the version and the time it took, or why not and what to do. */
import { took } from "./format.js";
import { has, t } from "./i18n.js";

export function toldOf({ ok, version, latency_ms: ms, error_code: code, error }) {
  if (ok) return { ok, head: t(version ? "service.test_ok" : "service.test_ok_blank", { version, time: took(ms) }), said: "" };
  const key = has(`fault.${code}`) ? `fault.${code}` : "fault.other";
  return { ok, head: t("service.test_failed", { why: t(key, { error }) }), said: t(`${key}.next`, { error }) };
}
