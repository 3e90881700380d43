/* Texts of the reader's language, from the same catalogue that the server draws with. */
import { boot } from "./boot.js";

const plural = new Intl.PluralRules(boot.locale || "en");

export function has(key) {
  return key in boot.texts;
}

export function t(key, values = {}) {
  let text = boot.texts[key] ?? key;
  if (typeof text === "object") text = text[plural.select(values.n)] ?? text.other;
  for (const [name, value] of Object.entries(values)) text = text.replaceAll(`{${name}}`, () => String(value));
  return text;
}
