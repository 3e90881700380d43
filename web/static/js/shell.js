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
  startFrames();
  startTheme(onTheme);
  startBell(boot.unread);
  startConnection();
  startPush();
  live.start(topics);
}
