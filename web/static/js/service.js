/* One service's form: asked for real before it is saved. */
import * as api from "./api.js";
import { boot } from "./boot.js";
import { toldOf } from "./service-trial.js";
import { startShell } from "./shell.js";
import { given, leave, showTrial, startTrialForm } from "./trial-form.js";

// No service can have this name: it stands for one that has none yet.
const UNNAMED = "-";
const LIST = "/settings/services";
const { name, kind } = boot.page;

async function trial() {
  const { settings = {} } = given();
  const { data } = await api.post(`/services/${encodeURIComponent(name ?? UNNAMED)}/test`, { kind, settings });
  showTrial(toldOf(data));
}

async function save() {
  const { name: typed, settings = {} } = given();
  if (name) await api.call("PATCH", `/services/${encodeURIComponent(name)}`, { settings });
  else await api.post("/services", { name: typed ?? "", kind, settings });
  leave(LIST);
}

startTrialForm({ trial, save, first: name ? null : '[data-field="settings.url"]' });
startShell({ topics: ["system", "notifications"] });
