/* Starts the page /system: how the web processes do, live. */
import { Rows, setAttr, setSlot, show, slot } from "./dom.js";
import { number, perS, took } from "./format.js";
import { startShell } from "./shell.js";
import { tile } from "./tile.js";

const TIMES = ["p50_ms", "p95_ms", "p99_ms"];
let routes = null;

function draw(data, root) {
  setSlot(root, "rate", perS(data.requests_per_s));
  for (const name of TIMES) setSlot(root, name.slice(0, 3), took(data[name]));
  for (const name of ["refused", "errors", "sockets", "processes"]) setSlot(root, name, number(data[name]));
  setSlot(root, "messages", perS(data.messages_per_s));
  setSlot(root, "slow", number(data.slow_clients));
  routes ??= new Rows(root.querySelector("[data-routes]"), root.querySelector('template[data-row="route"]'), drawRoute);
  routes.update(data.routes ?? [], (one) => `${one.method} ${one.route}`);
  show(root.querySelector("[data-routes-empty]"), !data.routes?.length);
}

function drawRoute(row, one) {
  for (const name of ["method", "route"]) setSlot(row, name, one[name]);
  setSlot(row, "rate", perS(one.requests_per_s));
  for (const name of TIMES) setSlot(row, name, took(one[name]));
  for (const name of ["refused", "errors"]) setSlot(row, name, number(one[name]));
  setAttr(slot(row, "errors"), "data-level", one.errors ? "bad" : "");
}

tile("performance", draw);
startShell({ topics: ["api_performance", "system", "notifications"] });
