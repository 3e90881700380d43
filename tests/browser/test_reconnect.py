"""The page while the server is away: it says so, keeps what it knows, and comes back by itself."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenPage
from tests.support.stack import Stack


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
    expect(page.locator("[data-banner]")).to_be_hidden()
    redis = stack.named("redis-server")
    if fault == "frozen":
        redis.suspend()
    else:
        redis.kill()
        for _ in range(3):  # the supervisor brings it back at once: kill until the page has noticed
            stack.named("redis-server").kill()
    expect(page.locator("[data-banner]")).to_be_visible(timeout=30_000)
    expect(page.locator("[data-banner]")).to_contain_text("Live data stopped")
    if fault == "frozen":
        redis.resume()
    expect(page.locator("[data-banner]")).to_be_hidden(timeout=45_000)
    expect(page.locator('[data-conn][data-state="live"]')).to_be_visible()
    complaints.clear()
