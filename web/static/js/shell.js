/* What every page of the application starts: theme, bell, connection and the live socket. */
import { boot } from "./boot.js";
import { startBell } from "./bell.js";
import { startConnection } from "./connection.js";
import { startFrames } from "./frames.js";
import { live } from "./live.js";
import { startPush } from "./push.js";
import { startTheme } from "./theme.js";

/** Calls `onTheme` when the colours change; `topics` are what the page follows. */
export function startShell({ topics, onTheme } = {}) {
  showPlace();
  startFrames();
  startTheme(onTheme);
  startBell(boot.unread);
  startConnection();
  startPush();
  live.start(topics);
}

/** On a phone the sections and the settings' tabs do not fit side by side: the current one comes into view. */
function showPlace() {
  for (const link of document.querySelectorAll("nav [aria-current]")) {
    const row = link.closest("nav");
    row.scrollLeft = link.offsetLeft - row.offsetLeft - (row.clientWidth - link.offsetWidth) / 2;
  }
}
