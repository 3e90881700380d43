/* Starts the overview: first numbers, cards, chart, bell, then the live socket. */
import { boot } from "./boot.js";
import * as cpu from "./cards/cpu.js";
import * as disks from "./cards/disks.js";
import * as downloads from "./cards/downloads.js";
import * as events from "./cards/events.js";
import * as library from "./cards/library.js";
import * as memory from "./cards/memory.js";
import * as network from "./cards/network.js";
import { startBell } from "./bell.js";
import { startChart } from "./chart.js";
import { startConnection } from "./connection.js";
import { startFrames } from "./frames.js";
import { startHistory } from "./history.js";
import { live } from "./live.js";
import { startSummary } from "./summary.js";
import { startTheme } from "./theme.js";
import { tile } from "./tile.js";

startFrames();
for (const card of [cpu, memory, network, disks, downloads, library, events]) card.start();
tile("history", () => {});
const chart = startChart();
startTheme(() => chart.rebuild());
startHistory();
startBell(boot.unread);
startSummary();
startConnection();
live.start();
