"""What the library's and the events' tiles say, in both languages."""

from __future__ import annotations

import pytest
from playwright.sync_api import Route, StorageState, WebSocketRoute, expect

from tests.browser.conftest import OpenPage
from tests.support.stack import Stack
from tests.support.waiting import wait_until


@pytest.mark.parametrize(
    ("locale", "scanned"), [("en-US", "Movies: 2 files, 2 new"), ("zh-CN", "电影：共 2 个文件，新增 2 个")]
)
def test_a_scan_is_told_by_what_the_folder_holds(open_overview: OpenPage, locale: str, scanned: str) -> None:
    page = open_overview(locale=locale)
    event = page.locator('[data-card="events"] .event', has_text=scanned)
    expect(event).to_have_count(1, timeout=45_000)
    expect(event.locator('[data-slot="place"]')).to_contain_text("/films")


def test_the_files_are_shown_by_quality(open_overview: OpenPage) -> None:
    page = open_overview()
    shown = page.locator("[data-quality] li:visible")
    expect(shown).to_have_text(["2160p 1", "1080p 1"], timeout=45_000)
    parts = page.locator('[data-quality] rect:not([width="0%"])')
    assert [part.get_attribute("width") for part in parts.all()] == ["50%", "50%"]


@pytest.mark.parametrize(
    ("locale", "unchanged", "added"),
    [("en-US", "Nothing has changed.", "1 new"), ("zh-CN", "没有变化。", "新增 1 个")],
)
def test_a_scan_is_busy_and_says_what_it_found(
    open_overview: OpenPage, stack: Stack, locale: str, unchanged: str, added: str
) -> None:
    page = open_overview(locale=locale)
    button = page.locator("[data-scan]")
    expect(button).to_be_enabled(timeout=45_000)
    button.click()
    expect(button).to_have_attribute("aria-busy", "true")
    expect(page.locator(".toast-text").last).to_have_text(unchanged, timeout=30_000)
    expect(button).to_be_enabled()
    (stack.data_dir.parent / "films" / f"Heat.1995.720p.{locale}.mkv").write_bytes(b"film")
    button.click()
    expect(page.locator(".toast-text").last).to_have_text(added, timeout=30_000)


def test_an_overview_that_comes_meanwhile_does_not_free_the_button(
    open_page: OpenPage, session: StorageState
) -> None:
    page = open_page("/api/docs", cookies=session["cookies"])
    sockets: list[WebSocketRoute] = []
    overviews: list[str] = []
    asked: list[Route] = []

    def serve(socket: WebSocketRoute) -> None:
        def pass_on(text: str | bytes) -> None:
            overviews.extend([str(text)] if '"dashboard_update"' in str(text) else [])
            socket.send(text)

        sockets.append(socket)
        socket.connect_to_server().on_message(pass_on)

    page.route_web_socket("**/api/ws/ws", serve)
    page.route("**/api/library/scan", lambda route: asked.append(route))
    page.goto("/")
    button = page.locator("[data-scan]")
    expect(button).to_be_enabled(timeout=45_000)
    wait_until(lambda: page.evaluate("1") and overviews, timeout_s=30)
    with page.expect_request("**/api/library/scan"):
        button.click()
    sockets[-1].send(overviews[-1])
    assert page.evaluate("document.querySelector('[data-scan]').getAttribute('aria-busy')") == "true"
    wait_until(lambda: page.evaluate("1") and asked, timeout_s=30)
    asked[0].continue_()
    expect(button).to_be_enabled(timeout=30_000)


def test_a_notification_covers_nothing_of_the_open_bell(open_overview: OpenPage, stack: Stack) -> None:
    page = open_overview()
    page.click("[data-bell]")
    answer = stack.signed_in().post("/api/notifications", json={"title": "While open", "message": "x"})
    assert answer.status_code == 201
    expect(page.locator(".note-title").first).to_have_text("While open")
    toast = page.locator("[data-toasts] .toast")
    expect(toast).to_have_text("While openx")
    assert toast.evaluate("one => one.getBoundingClientRect().width") <= 1


def test_on_a_phone_no_number_of_the_downloads_is_left_out(open_overview: OpenPage) -> None:
    page = open_overview(width=360, locale="zh-CN")
    tops = page.locator('[data-card="downloads"] .count').evaluate_all("all => all.map(one => one.offsetTop)")
    assert len(set(tops[:4])) == len(set(tops[4:])) == 1
    side = page.evaluate(
        """() => { const row = document.querySelector('template[data-row="item"]').content.cloneNode(true);
            document.querySelector('[data-card="downloads"] [data-list]').append(row);
            return getComputedStyle(document.querySelector('.item [data-slot="up"]')).display; }"""
    )
    assert side != "none"


def test_the_interface_s_documentation_fits_a_phone(open_page: OpenPage, session: StorageState) -> None:
    page = open_page("/api/docs", width=360, cookies=session["cookies"])
    outside = """() => [...document.querySelectorAll("summary i")].filter((one) => {
        const [own, box] = [one, one.closest("details")].map((part) => part.getBoundingClientRect());
        return own.right > box.right || own.bottom > box.bottom; }).length"""
    assert page.evaluate(outside) == 0
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
