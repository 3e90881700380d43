/* REST calls: the envelope opened, the CSRF header on writes, errors with a text for people. */
import { csrfToken } from "./boot.js";
import { t } from "./i18n.js";
import * as store from "./store.js";

export class ApiError extends Error {
  constructor(status, message, details = {}, errors = []) {
    super(message);
    this.status = status;
    this.details = details;
    this.errors = errors;
  }
}

export async function call(method, path, body) {
  const headers = { Accept: "application/json" };
  if (method !== "GET") headers["X-CSRF-Token"] = csrfToken;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const response = await fetch(`/api${path}`, {
    method,
    headers,
    body: body === undefined ? undefined : JSON.stringify(body),
    signal: AbortSignal.timeout(15000),
  }).catch(() => {
    throw new ApiError(0, t("action.network"));
  });
  const answer = await response.json().catch(() => ({}));
  if (response.status === 401) store.set("session", "over");
  if (!response.ok) throw new ApiError(response.status, answer.error_message ?? `HTTP ${response.status}`, answer.details, answer.errors);
  return answer;
}

export const get = (path) => call("GET", path);
export const post = (path, body) => call("POST", path, body);
