/* The last hour by REST: at the start and after every reconnect, so that a hole the page slept through is filled. */
import * as api from "./api.js";
import * as store from "./store.js";

const PATH = "/dashboard/system-resources-history?hours=1&interval_minutes=1";

export function startHistory() {
  store.on("connection", ({ state }) => state === "live" && load());
}

async function load() {
  try {
    const { data } = await api.get(PATH);
    const points = data.points.map((point) => ({ ...point, at: Date.parse(point.timestamp) }));
    store.set("history", points.filter(({ at }) => Number.isFinite(at)));
  } catch { /* the live readings draw alone; the next reconnect asks again */ }
}
