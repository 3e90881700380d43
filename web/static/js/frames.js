/* Turns the topics of the socket and the page's first numbers into readings by source. */
import { boot } from "./boot.js";
import * as store from "./store.js";

export function startFrames() {
  for (const [name, { data, meta }] of Object.entries(boot.first ?? {})) store.setReading(name, data, meta);
  store.on("frame:system", ({ data, meta }) => store.setReading("system", data, meta));
  store.on("frame:downloads", ({ data, meta }) => store.setReading("downloads", data, meta));
  store.on("frame:api_performance", ({ data, meta }) => store.setReading("api_performance", data, meta));
  store.on("frame:dashboard", ({ data, meta }) => takeDashboard(data ?? {}, meta ?? {}));
}

function takeDashboard(data, meta) {
  store.setReading("dashboard", data, meta);
  const sources = meta.sources ?? {};
  if (sources.downloads) store.setReading("downloads", { ...data.download_stats, downloaders: data.downloader_status }, sources.downloads);
  if (sources.media) store.setReading("media", data.media_stats, sources.media);
  if (sources.music) store.setReading("music", data.music_stats, sources.music);
}
