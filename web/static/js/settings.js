/* Starts the settings pages that only lead on. */
import { startShell } from "./shell.js";

startShell({ topics: ["system", "notifications"] });
