/* A list of downloads, and what changed in it since: docs/live.md, "Changes instead of lists". */

const keyOf = ({ instance, id }) => JSON.stringify([instance, id]);

/** Returns the new data; what it was is left as it is. */
export function patched(data, { fields, items, removed }) {
  const byKey = new Map((data.items ?? []).map((item) => [keyOf(item), item]));
  for (const item of removed) byKey.delete(keyOf(item));
  for (const item of items) byKey.set(keyOf(item), item);
  return { ...data, ...fields, items: [...byKey.values()] };
}
