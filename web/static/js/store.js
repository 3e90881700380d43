/* The page's state: the newest value of each topic, and who wants to know. */

const values = new Map();
const listeners = new Map();

export const get = (name) => values.get(name);

export function set(name, value) {
  values.set(name, value);
  for (const listener of listeners.get(name) ?? []) listener(value);
}

/** Calls `listener` with every new value, and with the present one if there is one. */
export function on(name, listener) {
  if (!listeners.has(name)) listeners.set(name, new Set());
  listeners.get(name).add(listener);
  if (values.has(name)) listener(values.get(name));
}

/** Merges one source's reading; an older one never replaces a newer. */
export function setReading(name, data, meta) {
  const held = values.get(name);
  const older = held?.meta?.collected_at && meta?.collected_at && Date.parse(meta.collected_at) < Date.parse(held.meta.collected_at);
  if (!older) set(name, { data: data ?? null, meta: meta ?? {} });
}
