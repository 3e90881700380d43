"""The page while the server is away: it says so, keeps what it knows, and comes back by itself."""

from __future__ import annotations

import json
import re
from contextlib import suppress

import psutil
import pytest
from playwright.sync_api import StorageState, WebSocketRoute, expect

from tests.browser.conftest import OpenPage
from tests.support.stack import Stack
from tests.support.waiting import wait_until


def test_the_page_comes_back_after_the_web_process_died(
    open_overview: OpenPage, stack: Stack, complaints: list[str]
) -> None:
    page = open_overview()
    page.evaluate("window.same_page = true")
    expect(page.locator("[data-banner]")).to_be_hidden()
    stack.named("gunicorn").kill()
    expect(page.locator('[data-conn]:not([data-state="live"])')).to_be_visible()
    expect(page.locator('[data-conn][data-state="live"]')).to_be_visible(timeout=45_000)
    expect(page.locator("[data-banner]")).to_be_hidden()
    expect(page.locator('[data-card="cpu"]')).to_have_attribute("data-status", "ok", timeout=20_000)
    assert page.evaluate("window.same_page") is True
    complaints.clear()  # refused connections are what this is about


def test_a_notification_sent_meanwhile_is_caught_up_with(
    open_overview: OpenPage, stack: Stack, complaints: list[str]
) -> None:
    page = open_overview()
    # The socket alone is cut: REST and the other processes go on.
    page.route_web_socket("**/api/ws/ws", lambda socket: socket.close())
    page.reload()
    expect(page.locator('[data-conn]:not([data-state="live"])')).to_be_visible()
    answer = stack.signed_in().post("/api/notifications", json={"title": "Meanwhile", "message": "x"})
    assert answer.status_code == 201
    page.unroute_all()
    page.route_web_socket("**/api/ws/ws", lambda socket: socket.connect_to_server())
    expect(page.locator('[data-conn][data-state="live"]')).to_be_visible(timeout=45_000)
    page.click("[data-bell]")
    expect(page.locator(".note-title", has_text="Meanwhile").first).to_be_visible()
    complaints.clear()


@pytest.mark.parametrize("fault", ["killed", "frozen"])
def test_without_redis_the_page_says_so_until_it_is_back(
    open_overview: OpenPage, stack: Stack, complaints: list[str], fault: str
) -> None:
    page = open_overview()
    banner = page.locator("[data-banner]")
    expect(banner).to_be_hidden()
    redis = stack.named("redis-server")
    if fault == "frozen":
        redis.suspend()
        expect(banner).to_be_visible(timeout=30_000)
    else:
        # The supervisor brings it back at once: it dies until the page has noticed.
        wait_until(lambda: _kill_redis(stack) or banner.is_visible(), timeout_s=60, every_s=0.3)
    expect(page.locator("[data-banner]")).to_contain_text("Live data stopped")
    if fault == "frozen":
        expect(page.locator("[data-conn]")).to_have_attribute("data-state", "delayed")
        redis.resume()
    expect(page.locator("[data-banner]")).to_be_hidden(timeout=45_000)
    expect(page.locator('[data-conn][data-state="live"]')).to_be_visible()
    complaints.clear()


@pytest.mark.parametrize(
    ("locale", "delayed", "system"), [("en-US", "Delayed", "System"), ("zh-CN", "数据延迟", "系统")]
)
def test_frozen_numbers_are_never_called_live(
    open_page: OpenPage, session: StorageState, locale: str, delayed: str, system: str
) -> None:
    page = open_page("/api/docs", cookies=session["cookies"], locale=locale)
    sockets: list[WebSocketRoute] = []
    let_through = True

    def serve(socket: WebSocketRoute) -> None:
        sockets.append(socket)
        server = socket.connect_to_server()
        server.on_message(lambda text: socket.send(text) if let_through or '"seq"' not in text else None)

    page.route_web_socket("**/api/ws/ws", serve)
    page.goto("/")
    page.bring_to_front()  # a page that counts as hidden does not tick
    expect(page.locator('[data-conn][data-state="live"]')).to_be_visible()
    # As when Redis stops: the socket stays open, says so once and sends no more readings.
    let_through = False
    sockets[-1].send(json.dumps({"type": "status", "source": "redis", "state": "down"}))
    expect(page.locator('[data-conn][data-state="delayed"]')).to_be_visible(timeout=20_000)
    expect(page.locator("[data-conn-state]")).to_have_text(delayed)
    # Five tiles draw the system's numbers; it is one source and has its own name.
    expect(page.locator("[data-summary]")).to_contain_text(f"{system} · ")
    # Downloads never answered; the overview is late too when this machine is slow.
    expect(page.locator("[data-summary]")).to_contain_text(re.compile("[23]"))
    expect(page.locator("[data-banner]")).to_contain_text("Redis")
    let_through = True
    expect(page.locator('[data-conn][data-state="live"]')).to_be_visible(timeout=20_000)


def test_an_old_last_value_does_not_make_stopped_numbers_look_new(
    open_page: OpenPage, session: StorageState
) -> None:
    page = open_page("/api/docs", cookies=session["cookies"])
    sockets: list[WebSocketRoute] = []
    let_through = True

    def serve(socket: WebSocketRoute) -> None:
        sockets.append(socket)
        server = socket.connect_to_server()
        server.on_message(lambda text: socket.send(text) if let_through or '"seq"' not in text else None)

    page.route_web_socket("**/api/ws/ws", serve)
    page.goto("/")
    page.bring_to_front()
    expect(page.locator('[data-conn][data-state="live"]')).to_be_visible()
    # On subscribing, the last notification comes at once, however long ago it was; then nothing more does.
    let_through = False
    last = {"type": "notification_update", "topic": "notifications", "seq": 1, "data": {}, "meta": {}}
    sockets[-1].send(json.dumps({**last, "timestamp": "2020-01-01T00:00:00Z"}))
    expect(page.locator('[data-conn][data-state="delayed"]')).to_be_visible(timeout=20_000)


def test_a_tab_that_nobody_looks_at_follows_nothing_after_30_s(
    open_page: OpenPage, session: StorageState
) -> None:
    page = open_page("/api/docs", cookies=session["cookies"])
    page.clock.install()
    page.add_init_script(
        """
        window.isHidden = false;
        window.said = [];
        Object.defineProperty(document, "hidden", { get: () => window.isHidden });
        const send = WebSocket.prototype.send;
        WebSocket.prototype.send = function (text) {
          said.push(JSON.parse(text).type);
          return send.call(this, text);
        };
        window.turn = (hidden) => {
          isHidden = hidden;
          document.dispatchEvent(new Event("visibilitychange"));
        };
        """
    )
    page.goto("/")
    expect(page.locator('[data-conn][data-state="live"]')).to_be_visible()
    page.evaluate("turn(true)")
    page.clock.fast_forward(29_000)
    assert "unsubscribe" not in page.evaluate("said")
    page.clock.fast_forward(2_000)
    page.wait_for_function("said.includes('unsubscribe')")
    assert page.evaluate("said.filter((type) => type === 'subscribe').length") == 1
    page.evaluate("turn(false)")
    page.wait_for_function("said.filter((type) => type === 'subscribe').length === 2")
    expect(page.locator("[data-banner]")).to_be_hidden()
    expect(page.locator('[data-conn][data-state="live"]')).to_be_visible(timeout=20_000)


def test_the_page_adds_changes_to_a_list_as_the_server_means_them(
    open_page: OpenPage, session: StorageState
) -> None:
    page = open_page("/api/docs", cookies=session["cookies"])
    before = {"active": 1, "items": [{"instance": "qb", "id": name, "n": 1} for name in "abc"]}
    change = {
        "fields": {"active": 2},
        "items": [{"instance": "qb", "id": "b", "n": 2}, {"instance": "qb", "id": "d", "n": 2}],
        "removed": [{"instance": "qb", "id": "a"}],
    }
    script = "async (all) => (await import('/static/v-0/js/patch.js')).patched(...all)"
    after = page.evaluate(script, [before, change])
    assert after["active"] == 2
    assert [(item["id"], item["n"]) for item in after["items"]] == [("b", 2), ("c", 1), ("d", 2)]


def _kill_redis(stack: Stack) -> None:
    for process in stack.processes():
        with suppress(psutil.NoSuchProcess):
            if process.name().startswith("redis-server"):
                process.kill()
