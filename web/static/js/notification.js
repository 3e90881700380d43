/* Starts a notification's own page: the same detail as in the drawer, live. */
import { boot } from "./boot.js";
import { Detail } from "./detail.js";
import { startShell } from "./shell.js";

const note = boot.notification;
new Detail(document.querySelector("[data-notification-page] [data-detail]")).open(note.id, note);
startShell({ topics: ["system", "notifications"] });
