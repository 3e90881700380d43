/* A long list of which only the rows in view are in the page. All rows have one height, that of the style. */
import { setAttr } from "./dom.js";

const BEYOND = 8;

export class WindowRows {
  constructor(list, template, draw, keyOf) {
    Object.assign(this, { list, template, draw, keyOf, items: [], byKey: new Map(), frame: 0 });
    list.replaceChildren();
    for (const name of ["scroll", "resize"]) addEventListener(name, () => this.later(), { passive: true });
  }

  update(items) {
    this.items = items;
    this.render();
  }

  later() {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.render();
    });
  }

  render() {
    const height = this.rowHeight();
    this.list.style.height = `${this.items.length * height}px`;
    const top = -this.list.getBoundingClientRect().top;
    const first = Math.max(0, Math.floor(top / height) - BEYOND);
    const last = Math.min(this.items.length, Math.ceil((top + innerHeight) / height) + BEYOND);
    this.place(first, last, height);
  }

  /** Draws the rows from `first` up to `last`; a row that holds the focus keeps its element. */
  place(first, last, height) {
    const left = new Map(this.byKey);
    let before = null;
    for (let at = first; at < last; at += 1) {
      const key = this.keyOf(this.items[at]);
      const row = this.byKey.get(key) ?? this.made(key);
      left.delete(key);
      row.style.top = `${at * height}px`;
      setAttr(row, "aria-setsize", this.items.length);
      setAttr(row, "aria-posinset", at + 1);
      this.draw(row, this.items[at]);
      const next = before ? before.nextSibling : this.list.firstChild;
      if (next !== row) this.list.insertBefore(row, next);
      before = row;
    }
    for (const [key, row] of left) {
      row.remove();
      this.byKey.delete(key);
    }
  }

  made(key) {
    const row = this.template.content.firstElementChild.cloneNode(true);
    this.byKey.set(key, row);
    return row;
  }

  rowHeight() {
    return Number.parseFloat(getComputedStyle(this.list).getPropertyValue("--row-px")) || 64;
  }
}
