/* Short messages in a polite live region: three at most, gone after a while, kept while looked at. */

const STAYS_MS = 6000;
const MOST = 3;

/** `note` is a notification: the open bell shows it already, so the toast is then only read out. */
export function toast({ title, text = "", type = "info", note = false }) {
  const region = document.querySelector("[data-toasts]");
  const box = document.createElement("div");
  box.className = note ? "toast toast-note" : "toast";
  box.dataset.type = type;
  for (const [name, content] of [["toast-title", title], ["toast-text", text]]) {
    const part = document.createElement("div");
    part.className = name;
    part.textContent = content;
    if (content) box.append(part);
  }
  region.append(box);
  while (region.children.length > MOST) region.firstElementChild.remove();
  let timer = setTimeout(() => box.remove(), STAYS_MS);
  box.addEventListener("pointerenter", () => clearTimeout(timer));
  box.addEventListener("pointerleave", () => (timer = setTimeout(() => box.remove(), STAYS_MS)));
}
