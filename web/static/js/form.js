/* Reads a form's fields into what the API takes, and shows the API's errors where they belong. */
import { setText, show } from "./dom.js";
import { has, t } from "./i18n.js";

export class FieldFault extends Error {
  constructor(field, message) {
    super(message);
    this.errors = [{ field, message }];
  }
}

/** Returns the values by their dotted names, an empty field as null: `{name, settings: {url}}`. */
export function read(form) {
  const found = {};
  for (const control of form.querySelectorAll("[data-field]")) {
    const names = control.dataset.field.split(".");
    const last = names.pop();
    let place = found;
    for (const name of names) place = place[name] ??= {};
    place[last] = valueOf(control);
  }
  return found;
}

function valueOf(control) {
  const { field, shape, as } = control.dataset;
  if (shape === "switch") return control.checked;
  const text = shape === "secret" || shape === "area" ? control.value : control.value.trim();
  if (!text) return control.validity.badInput ? refuse(field, "form.number") : null;
  if (as === "numbers") return text.split(/[\s,，]+/).filter(Boolean).map((one) => number(field, one));
  if (shape === "number") return number(field, text);
  if (shape === "lines") return text.split(/[\n,，]+/).map((line) => line.trim()).filter(Boolean);
  if (shape === "pairs") return Object.fromEntries(text.split("\n").filter((line) => line.trim()).map((line) => pair(field, line)));
  if (shape === "json") return json(field, text);
  return text;
}

function number(field, text) {
  const value = Number(text);
  return Number.isFinite(value) ? value : refuse(field, "form.number");
}

function pair(field, line) {
  const at = line.indexOf(":");
  return at > 0 ? [line.slice(0, at).trim(), line.slice(at + 1).trim()] : refuse(field, "form.pair_bad");
}

function json(field, text) {
  try {
    return JSON.parse(text);
  } catch {
    return refuse(field, "form.json_bad");
  }
}

function refuse(field, key) {
  throw new FieldFault(field, t(key));
}

export function clearErrors(form) {
  for (const line of form.querySelectorAll("[data-error-of]")) show(line, false);
  for (const control of form.querySelectorAll("[aria-invalid]")) control.removeAttribute("aria-invalid");
  show(form.querySelector("[data-form-error]"), false);
}

/** Shows each error at its field, or at the field that holds it; the first wrong field gets the focus. */
export function showErrors(form, error) {
  clearErrors(form);
  const homeless = [];
  let first = null;
  for (const { field, message, code } of error.errors ?? []) {
    const line = lineOf(form, field);
    const text = has(`fault_code.${code}`) ? t(`fault_code.${code}`) : message;
    if (!line) {
      homeless.push(`${field}: ${text}`);
      continue;
    }
    setText(line, line.hidden ? text : `${line.textContent} ${text}`);
    show(line, true);
    const control = form.querySelector(`[data-field="${line.dataset.errorOf}"]`);
    control.setAttribute("aria-invalid", "true");
    control.closest("details")?.setAttribute("open", "");
    first ??= control;
  }
  const box = form.querySelector("[data-form-error]");
  const text = homeless.join(" ") || (first ? "" : error.message);
  setText(box, text);
  show(box, Boolean(text));
  (first ?? box).focus();
}

function lineOf(form, field) {
  for (let name = field; name; name = name.includes(".") ? name.slice(0, name.lastIndexOf(".")) : "") {
    const line = [...form.querySelectorAll("[data-error-of]")].find(({ dataset }) => dataset.errorOf === name);
    if (line) return line;
  }
  return null;
}
