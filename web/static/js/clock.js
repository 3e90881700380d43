/* One tick a second for everything that ages, on the server's clock: a tablet's own may be off. */
import { boot } from "./boot.js";

let offset = boot.now ? Date.parse(boot.now) - Date.now() : 0;
const listeners = new Set();

export const now = () => Date.now() + offset;

/**
 * A server's timestamp has arrived. Only one that was written just now (`isFresh`) may turn the clock back:
 * a stored last value carries the time of its publication, and would make every age look that much smaller.
 */
export function adjust(timestamp, isFresh) {
  const seen = Date.parse(timestamp) - Date.now();
  if (Number.isFinite(seen) && (seen > offset || (isFresh && offset - seen > 1500))) offset = seen;
}

export function onTick(listener) {
  listeners.add(listener);
  listener();
  return () => listeners.delete(listener);
}

export function tick() {
  if (document.hidden) return;
  for (const listener of listeners) listener();
}

setInterval(tick, 1000);
document.addEventListener("visibilitychange", tick);
