"""The live connection of the pages: one socket for all tabs, nothing for nobody, lists by their changes."""

from __future__ import annotations

import json
from typing import Any

from playwright.sync_api import Page, StorageState, WebSocketRoute, expect

from tests.browser.conftest import OpenPage
from tests.support.stack import Stack
from tests.support.waiting import wait_until

LIVE = '[data-conn][data-state="live"]'


class Listening:
    """Stands between a page and its socket, and notes what the page says."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.sockets: list[WebSocketRoute] = []
        self.said: list[dict[str, Any]] = []
        page.route_web_socket("**/api/ws/ws", self._serve)

    def _serve(self, socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()

        def pass_on(text: str | bytes) -> None:
            self.said.append(json.loads(text))
            server.send(text)

        socket.on_message(pass_on)
        self.sockets.append(socket)

    def wait_said(self, kind: str, topic: str, *, times: int = 1) -> None:
        """Wait until the page has said this of a topic."""
        wait_until(lambda: self.page.evaluate("1") and self._count(kind, topic) >= times, timeout_s=30)

    def _count(self, kind: str, topic: str) -> int:
        return sum(one["type"] == kind and topic in one.get("topics", []) for one in self.said)


def opened(page: Page) -> Listening:
    """Open the overview with somebody listening in, and wait until it is live."""
    listening = Listening(page)
    page.goto("/")
    expect(page.locator(LIVE)).to_be_visible()
    return listening


def test_tabs_share_one_socket_and_another_takes_over(
    open_page: OpenPage, session: StorageState, stack: Stack
) -> None:
    first = open_page("/api/docs", cookies=session["cookies"])
    leading = opened(first)
    second = first.context.new_page()
    following = opened(second)
    expect(second.locator('[data-card="cpu"]')).to_have_attribute("data-status", "ok")
    assert (len(leading.sockets), len(following.sockets)) == (1, 0)
    sent = stack.signed_in().post("/api/notifications", json={"title": "To every tab", "message": "x"})
    assert sent.status_code == 201
    for page in (first, second):
        expect(page.locator("[data-toasts] .toast").last).to_contain_text("To every tab")
    first.close()
    wait_until(lambda: second.evaluate("1") and following.sockets, timeout_s=30)
    expect(second.locator(LIVE)).to_be_visible(timeout=30_000)


def test_a_list_follows_by_its_changes(open_page: OpenPage, session: StorageState) -> None:
    page = open_page("/api/docs", cookies=session["cookies"])
    heard = opened(page)
    socket = heard.sockets[-1]

    def push(kind: str, seq: int, data: dict[str, Any], **more: int) -> None:
        meta = {"source": "downloads", "status": "ok", "collected_at": f"2099-01-01T00:00:{seq:02d}Z"}
        frame = {"type": kind, "topic": "downloads", "seq": seq, "data": data, "meta": meta, **more}
        socket.send(json.dumps(frame))

    push("download_update", 1, {"active": 2, "items": [item("a", 0.1), item("b", 0.2)], "downloaders": {}})
    names = page.locator('[data-card="downloads"] .item [data-slot="name"]')
    expect(names).to_have_text(["a", "b"])
    gone = [{"instance": "q", "id": "a"}]
    change = {"fields": {"active": 3}, "items": [item("b", 0.5), item("c", 0.3)], "removed": gone}
    push("download_patch", 2, change, base_seq=1)
    expect(names).to_have_text(["b", "c"])
    expect(page.locator('[data-card="downloads"] [data-slot="active"]')).to_have_text("3")
    expect(page.locator('[data-card="downloads"] [data-slot="percent"]').first).to_contain_text("50")
    # A change of a list that the page does not hold has it sent whole.
    push("download_patch", 9, change, base_seq=8)
    heard.wait_said("subscribe", "downloads", times=2)


def item(name: str, progress: float) -> dict[str, Any]:
    """Return a download as the list carries it."""
    return {"instance": "q", "id": name, "name": name, "state": "downloading", "progress": progress}
