/* The form that says what a file is. */
import * as api from "./api.js";
import { setText, show } from "./dom.js";
import { t } from "./i18n.js";
import { toast } from "./toast.js";

const NUMBERS = ["year", "season", "episode"];
const KIND_OF_ROOT = { movies: "movie", tv: "episode", anime: "anime" };

/** Returns what opens the form for a file; `done` is called after it was saved. */
export function startCorrection(done) {
  const dialog = document.querySelector("[data-correct]");
  const form = dialog.querySelector("form");
  const fault = dialog.querySelector("[data-correct-error]");
  let file = null;

  form.elements.kind.addEventListener("change", () => fit(form));
  dialog.querySelector("[data-correct-no]").addEventListener("click", () => dialog.close());
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector('[type="submit"]');
    button.disabled = true;
    try {
      await api.call("PUT", `/library/files/${file.id}/override`, bodyOf(form));
      dialog.close();
      toast({ title: t("library.saved"), text: form.elements.title.value, type: "success" });
      await done();
    } catch (error) {
      setText(fault, error.message);
      show(fault, true);
    }
    button.disabled = false;
  });

  return (chosen) => {
    file = chosen;
    setText(dialog.querySelector("[data-correct-path]"), file.path);
    form.elements.kind.value = file.overridden ? file.kind : (KIND_OF_ROOT[file.root_kind] ?? "movie");
    form.elements.title.value = file.title ?? "";
    for (const name of NUMBERS) form.elements[name].value = file[name] ?? "";
    show(fault, false);
    fit(form);
    dialog.showModal();
  };
}

/** A film has a year, an episode its numbers. */
function fit(form) {
  const isFilm = form.elements.kind.value === "movie";
  for (const name of NUMBERS) show(form.elements[name].closest("label"), (name === "year") === isFilm);
}

function bodyOf(form) {
  const { kind, title } = form.elements;
  const shown = NUMBERS.filter((name) => !form.elements[name].closest("label").hidden && form.elements[name].value !== "");
  return { kind: kind.value, title: title.value, ...Object.fromEntries(shown.map((name) => [name, Number(form.elements[name].value)])) };
}
