"""A client that is the WebSocket of a real Chromium."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

from playwright.sync_api import Page, sync_playwright

from tests.live.server import Talk, WebServer
from tests.support import chromium

_SCRIPT = """() => {
window.sockets = [];
window.dial = (url) => new Promise((resolve, reject) => {
  const one = { socket: new WebSocket(url), messages: [], code: null };
  one.socket.binaryType = "arraybuffer";
  one.socket.onmessage = (event) => one.messages.push(event.data);
  one.socket.onclose = (event) => { one.code = event.code; reject(new Error("closed")); };
  one.socket.onopen = () => resolve(sockets.push(one) - 1);
});
window.say = ([number, data, isBinary]) => {
  sockets[number].socket.send(isBinary ? Uint8Array.from(data) : data);
};
}"""


class BrowserClient(Talk):
    """One socket of the page."""

    def __init__(self, page: Page, url: str) -> None:
        self._page = page
        self._number = page.evaluate("url => dial(url)", url)

    def send(self, message: Any) -> None:
        is_binary = isinstance(message, bytes)
        text = message if isinstance(message, str) else json.dumps(message) if not is_binary else None
        self._page.evaluate(
            "(all) => say(all)", [self._number, list(message) if is_binary else text, is_binary]
        )

    def send_all(self, messages: list[Any]) -> None:
        texts = [json.dumps(message) for message in messages]
        self._page.evaluate(
            "([n, texts]) => texts.forEach((text) => say([n, text, false]))", [self._number, texts]
        )

    def receive(self, timeout_s: float = 10) -> Any:
        one = f"sockets[{self._number}]"
        self._page.wait_for_function(f"{one}.messages.length > 0", timeout=timeout_s * 1000, polling=20)
        return json.loads(self._page.evaluate(f"{one}.messages.shift()"))

    def close_code(self, timeout_s: float = 10) -> int | None:
        one = f"sockets[{self._number}]"
        self._page.wait_for_function(f"{one}.code !== null", timeout=timeout_s * 1000, polling=20)
        code: int = self._page.evaluate(f"{one}.code")
        return code

    def close(self) -> None:
        self._page.evaluate(f"sockets[{self._number}].socket.close()")


class BrowserSide:
    """Stands where the tests have a WebServer, and dials from a page of that server."""

    def __init__(self, server: WebServer, page: Page) -> None:
        self._page = page
        self._address = f"ws://127.0.0.1:{server.port}"
        page.goto(f"{server.url}/healthz")
        page.evaluate(_SCRIPT)

    def connect(self, path: str = "/api/ws/ws", *, token: str | None = "read") -> BrowserClient:
        """Open a socket; a browser can give a token in the address only."""
        query = f"?token={quote(token)}" if token else ""
        return BrowserClient(self._page, f"{self._address}{path}{query}")


@contextmanager
def dialling_from_chromium(server: WebServer) -> Iterator[BrowserSide]:
    """Run a browser for the length of the block."""
    with sync_playwright() as playwright:
        browser = chromium.launch(playwright)
        yield BrowserSide(server, browser.new_page())
        browser.close()
