/* The drawer over any page: opens a notification under its own address, and Back closes it. */
import * as api from "./api.js";
import { Detail } from "./detail.js";
import { setAttr, show, slot } from "./dom.js";

let drawer = null;

class Drawer {
  constructor(dialog) {
    this.dialog = dialog;
    this.opener = null;
    this.article = dialog.querySelector("[data-detail]");
    this.wait = dialog.querySelector("[data-drawer-wait]");
    this.detail = new Detail(this.article, { onDrawn: (note) => this.drawn(note), onGone: () => show(this.wait, false) });
    dialog.querySelector("[data-drawer-close]").onclick = () => dialog.close();
    dialog.addEventListener("pointerdown", (event) => event.target === dialog && dialog.close());
    dialog.addEventListener("close", () => this.closed());
    addEventListener("popstate", () => this.follow());
  }

  open(id, opener) {
    if (this.dialog.open) return;
    this.opener = opener;
    history.pushState({ drawer: id }, "", `/notifications/${id}`);
    this.show(id);
  }

  show(id) {
    setAttr(this.dialog.querySelector("[data-drawer-page]"), "href", `/notifications/${id}`);
    this.fill(false);
    const root = document.documentElement;
    root.style.setProperty("--gutter", `${innerWidth - root.clientWidth}px`);
    this.dialog.showModal();
    this.dialog.scrollTop = 0;
    this.detail.open(id);
    this.dialog.querySelector("[data-drawer-close]").focus();
  }

  fill(known) {
    setAttr(this.article, "data-known", known);
    show(this.wait, !known);
  }

  drawn(note) {
    // Looked at is read, also when it reaches the inbox only now; the bell hears of it by the socket.
    if (note.unread) api.post(`/notifications/${note.id}/read`).catch(() => {});
    if (this.article.dataset.known === "true") return;
    this.fill(true);
    slot(this.article, "title").focus();
  }

  closed() {
    this.detail.close();
    if (history.state?.drawer) history.back();
    const { opener } = this;
    if (opener?.isConnected && opener.checkVisibility()) opener.focus();
    else document.querySelector("[data-bell]").focus();
  }

  /** Back and Forward: the address says whether the drawer is open. */
  follow() {
    const id = history.state?.drawer;
    if (id && !this.dialog.open) this.show(id);
    else if (!id && this.dialog.open) this.dialog.close();
  }
}

export function openDrawer(id, opener) {
  drawer ??= new Drawer(document.querySelector("[data-drawer]"));
  drawer.open(id, opener);
}

/** A plain click opens the drawer; with a modifier the browser does what it does with a link. */
export function opensDrawer(link, idOf, before = () => {}) {
  link.onclick = (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    before();
    openDrawer(idOf(), link);
  };
}
