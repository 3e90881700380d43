/* One channel's form: tried over the real way before it is saved. */
import * as api from "./api.js";
import { boot } from "./boot.js";
import { startShell } from "./shell.js";
import { given, leave, showTrial, startTrialForm } from "./trial-form.js";
import { toldOf } from "./trial.js";

// No channel can have this name: it stands for one that has none yet.
const UNNAMED = "-";
const LIST = "/settings/channels";
const { name, kind, builtin } = boot.page;

async function trial() {
  const { settings = {}, name: typed } = given();
  const body = builtin ? {} : { kind, settings };
  const { data } = await api.post(`/channels/${encodeURIComponent(name ?? typed ?? UNNAMED)}/test`, body);
  showTrial(toldOf(data));
}

async function save() {
  const { name: typed, ...values } = given();
  const path = name ? `/channels/${encodeURIComponent(name)}` : "/channels";
  await (name ? api.call("PATCH", path, values) : api.post(path, { name: typed ?? "", kind, ...values }));
  leave(LIST);
}

startTrialForm({ trial, save: builtin ? null : save, first: name ? null : "[data-field]" });
startShell({ topics: ["system", "notifications"] });
