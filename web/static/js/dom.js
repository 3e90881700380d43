/* Writes to the page: text as text, only what changed, and rows that keep their element. */

export function setText(element, text) {
  if (element && element.textContent !== text) element.textContent = text;
}

export function setAttr(element, name, value) {
  if (element && element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
}

export function show(element, visible) {
  if (element && element.hidden === visible) element.hidden = !visible;
}

export function slot(root, name) {
  return root.querySelector(`[data-slot="${name}"]`);
}

export function setSlot(root, name, text) {
  setText(slot(root, name), text);
}

export function setFigure(root, name, { whole, fraction, unit }) {
  const [first, second, third] = root.querySelector(`[data-figure="${name}"]`).children;
  setText(first, whole);
  setText(second, fraction);
  setText(third, unit);
}

/** Draws a bar of 0–100; unknown is an empty bar. */
export function setBar(svg, percent, level = "") {
  const width = Number.isFinite(percent) ? Math.min(100, Math.max(0, percent)) : 0;
  setAttr(svg.firstElementChild, "width", `${width}%`);
  setAttr(svg, "data-level", level);
}

/** Keeps one row a key: known rows are redrawn in place, so that nothing jumps or loses focus. */
export class Rows {
  constructor(list, template, draw) {
    this.list = list;
    this.template = template;
    this.draw = draw;
    this.byKey = new Map();
    list.replaceChildren();
  }

  update(items, keyOf) {
    const left = new Map(this.byKey);
    let before = null;
    for (const item of items) {
      const key = keyOf(item);
      let row = this.byKey.get(key);
      if (!row || !left.delete(key)) {
        row = this.template.content.firstElementChild.cloneNode(true);
        this.byKey.set(key, row);
      }
      this.draw(row, item);
      const next = before ? before.nextSibling : this.list.firstChild;
      if (next !== row) this.list.insertBefore(row, next);
      before = row;
    }
    for (const [key, row] of left) {
      row.remove();
      this.byKey.delete(key);
    }
  }
}
