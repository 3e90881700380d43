/* Follows the notifications: a change asks for a fresh reading, at most one a second and none while hidden. */
import * as store from "./store.js";

const SPACING_MS = 1000;

/** Calls `load` after every event that `concerns` says yes to, and after whatever may have swallowed one. */
export function follow(load, concerns = () => true) {
  let timer = 0;
  let owed = false;
  const soon = () => {
    owed = true;
    if (timer || document.hidden) return;
    owed = false;
    timer = setTimeout(() => {
      timer = 0;
      if (owed) soon();
    }, SPACING_MS);
    load();
  };
  document.addEventListener("visibilitychange", () => owed && soon());
  store.on("frame:notifications", ({ data }) => data && concerns(data) && soon());
  store.on("connection", ({ state }) => state === "live" && soon());
  store.on("resync:notifications", soon);
  store.on("source:redis", (state) => state === "up" && soon());
  return soon;
}
