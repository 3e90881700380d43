"""The two clients of docs/live.md, as they stand there, against a real server."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import sync_playwright

from tests.live.server import WebServer, running
from tests.live.test_deltas import item, publish
from tests.support import chromium
from tests.support.redis import RedisServer
from tests.support.waiting import wait_until
from vabhub.settings import Settings

PAGE = (Path(__file__).parents[2] / "docs" / "live.md").read_text(encoding="utf-8")
LISTED = [item(number) for number in range(100)]


def example(language: str) -> str:
    """Return the first block of this language: the client itself."""
    found = re.search(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    assert found
    return found[1]


@pytest.fixture
def server(tmp_path: Path, settings: Settings, redis: None, redis_server: RedisServer) -> Iterator[WebServer]:
    with running(tmp_path, redis_server.url) as server:
        yield server


def address(server: WebServer) -> str:
    return f"ws://127.0.0.1:{server.port}/api/ws/ws"


def test_python(server: WebServer) -> None:
    made: dict[str, Any] = {}
    exec(compile(example("python"), "docs/live.md", "exec"), made)
    seen: list[Any] = []

    def collect() -> None:
        for message in made["follow"](address(server), "read", ["downloads"]):
            seen.append(message)
            if message["data"]["active"] == 9:
                return

    thread = threading.Thread(target=collect)
    thread.start()
    _publish_until_patched(lambda: [(one["type"], len(one["data"]["items"])) for one in seen])
    publish(item(0), active=9)
    thread.join(20)
    assert not thread.is_alive()
    assert seen[-1]["data"] == {"active": 9, "items": [item(0)]}


def test_javascript(server: WebServer) -> None:
    with sync_playwright() as playwright:
        browser = chromium.launch(playwright)
        page = browser.new_page()
        page.goto(f"{server.url}/healthz")
        module = f"data:text/javascript,{quote(example('js'))}"
        page.evaluate(
            """async ([module, url]) => {
              window.seen = [];
              const { follow } = await import(module);
              window.stop = follow(url, "read", ["downloads"], (one) => seen.push(one));
            }""",
            [module, address(server)],
        )
        _publish_until_patched(lambda: page.evaluate("seen.map((one) => [one.type, one.data.items.length])"))
        page.evaluate("stop()")
        browser.close()


def _publish_until_patched(seen: Any) -> None:
    """Publish a long list that loses one at a time, until a client saw a change and holds the right list."""
    left = len(LISTED)

    def mended() -> bool:
        nonlocal left
        left -= 1
        publish(*LISTED[:left])
        return any(json.dumps(one).startswith('["download_patch"') for one in seen())

    wait_until(mended, every_s=0.3, what="a change")
    wait_until(lambda: list(seen()[-1])[1] == left, what="the list without the last one")
