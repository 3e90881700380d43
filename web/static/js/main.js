/* Starts the overview: first numbers, cards, chart, bell, then the live socket. */
import * as cpu from "./cards/cpu.js";
import * as disks from "./cards/disks.js";
import * as downloads from "./cards/downloads.js";
import * as events from "./cards/events.js";
import * as library from "./cards/library.js";
import * as memory from "./cards/memory.js";
import * as network from "./cards/network.js";
import { startChart } from "./chart.js";
import { startHistory } from "./history.js";
import { startShell } from "./shell.js";
import { startSummary } from "./summary.js";
import { tile } from "./tile.js";

for (const card of [cpu, memory, network, disks, downloads, library, events]) card.start();
tile("history", () => {});
const chart = startChart();
startHistory();
startSummary();
startShell({ onTheme: () => chart.rebuild() });
