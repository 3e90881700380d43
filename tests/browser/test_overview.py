"""The overview in a real browser: live numbers, honest tiles, notifications that arrive by themselves."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage, sign_in
from tests.support.stack import PASSWORD, USER, Stack
from tests.support.times import IN_A_MONTH

MARKUP = '<img src=x onerror="window.harmed = 1"><script>window.harmed = 1</script>'


def test_numbers_change_without_a_reload(open_overview: OpenPage) -> None:
    page = open_overview()
    page.evaluate("window.same_page = true")
    cpu = page.locator('[data-figure="cpu"]')
    before = cpu.inner_text()
    expect(cpu).not_to_have_text(before, timeout=20_000)
    assert page.evaluate("window.same_page") is True
    expect(page.locator('[data-card="cpu"] .core')).not_to_have_count(0)


def test_a_test_notification_reaches_the_bell_without_a_reload(open_overview: OpenPage) -> None:
    page = open_overview(reduced_motion="reduce")
    page.evaluate("window.same_page = true")
    before = int(page.locator("[data-badge]").text_content() or 0)
    page.click(".intro [data-send-test]")
    expect(page.locator("[data-badge]")).to_have_text(str(before + 1))
    expect(page.locator(".toast-title").first).to_have_text("Test notification")
    page.click("[data-bell]")
    expect(page.locator('.note[data-read="false"] .note-title').first).to_have_text("Test notification")
    expect(page.locator('[data-card="events"] .event').first).to_contain_text("Test notification")
    assert page.evaluate("window.same_page") is True


def test_what_was_announced_once_is_not_announced_by_a_reload(open_overview: OpenPage, stack: Stack) -> None:
    page = open_overview()
    later = {"title": "Planned", "message": "x", "send_at": IN_A_MONTH}
    assert stack.signed_in().post("/api/notifications", json=later).status_code == 201
    expect(page.locator(".toast-title")).to_have_text("Planned")
    with page.expect_response("**/api/notifications?*"):
        page.reload()
    page.click("[data-bell]")
    expect(page.locator(".note-title").first).to_have_text("Planned")
    expect(page.locator(".toast")).to_have_count(0)


def test_reading_one_and_reading_all_empty_the_badge(open_overview: OpenPage, stack: Stack) -> None:
    page = open_overview()
    send = stack.signed_in()
    for number in range(2):
        sent = send.post("/api/notifications", json={"title": f"Number {number}", "message": "x"})
        assert sent.status_code == 201
    page.click("[data-bell]")
    row = page.locator(".note", has_text="Number 1")
    row.locator("button").click()
    expect(row).to_have_attribute("data-read", "true")
    page.click("[data-read-all]")
    expect(page.locator("[data-badge]")).to_be_hidden()
    page.keyboard.press("Escape")
    expect(page.locator("[data-panel]")).to_be_hidden()
    expect(page.locator("[data-bell]")).to_be_focused()


def test_markup_from_outside_stays_text(open_overview: OpenPage, stack: Stack) -> None:
    page = open_overview()
    answer = stack.signed_in().post(
        "/api/notifications", json={"title": MARKUP, "message": MARKUP, "type": "error"}
    )
    assert answer.status_code == 201
    expect(page.locator(".toast-title").first).to_have_text(MARKUP)
    page.click("[data-bell]")
    expect(page.locator(".note-title").first).to_have_text(MARKUP)
    expect(page.locator('[data-card="events"] .event').first).to_contain_text(MARKUP)
    page.reload()
    expect(page.locator('[data-card="events"] .event').first).to_contain_text(MARKUP)
    assert page.evaluate("window.harmed") is None


def test_a_client_that_does_not_answer_is_named_with_its_cause(open_overview: OpenPage) -> None:
    page = open_overview()
    tile = page.locator('[data-card="downloads"]')
    expect(tile).to_have_attribute("data-status", "error")
    expect(tile.locator("[data-note]")).to_contain_text("Nothing listens")
    expect(tile.locator('[data-slot="active"]')).to_have_text("–")
    expect(page.locator("[data-summary]")).to_contain_text("Downloads")


def test_the_library_is_counted(open_overview: OpenPage) -> None:
    page = open_overview()
    expect(page.locator('[data-slot="movies"]')).to_have_text("2", timeout=45_000)


@pytest.mark.parametrize(("locale", "cpu"), [("en-US", "CPU"), ("zh-CN", "处理器")])
def test_each_language_is_complete(open_overview: OpenPage, locale: str, cpu: str) -> None:
    page = open_overview(locale=locale)
    expect(page.locator("#tile-cpu")).to_have_text(cpu)
    texts = page.inner_text("body")
    assert "fault." not in texts
    assert "conn." not in texts


def test_the_language_switch_is_kept(open_overview: OpenPage) -> None:
    page = open_overview()
    page.click('a[hreflang="zh-CN"]')
    expect(page.locator("#tile-memory")).to_have_text("内存")
    page.goto("/")
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_theme_follows_the_system_until_it_is_switched(open_overview: OpenPage, scheme: str) -> None:
    page = open_overview(color_scheme=scheme)
    before = _background(page)
    assert (sum(before) > 3 * 128) is (scheme == "light")
    page.click("[data-theme-button]")
    assert (sum(_background(page)) > 3 * 128) is (scheme == "dark")
    page.reload()
    assert (sum(_background(page)) > 3 * 128) is (scheme == "dark")


@pytest.mark.parametrize("width", [360, 768, 1024, 1440])
@pytest.mark.parametrize("locale", ["en-US", "zh-CN"])
def test_nothing_scrolls_sideways(open_overview: OpenPage, width: int, locale: str) -> None:
    page = open_overview(width=width, locale=locale)
    for path in ("/", "/login"):
        page.goto(path)
        page.wait_for_load_state("networkidle") if path == "/login" else page.wait_for_selector(".u-wrap")
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def test_numbers_that_change_move_nothing(open_overview: OpenPage) -> None:
    page = open_overview()
    page.wait_for_selector(".u-wrap")
    page.evaluate(
        """() => { window.shift = 0; new PerformanceObserver((list) => {
            for (const one of list.getEntries()) window.shift += one.value;
        }).observe({ type: "layout-shift", buffered: false }); }"""
    )
    cpu = page.locator('[data-figure="cpu"]')
    for _ in range(2):
        expect(cpu).not_to_have_text(cpu.inner_text(), timeout=20_000)
    assert page.evaluate("window.shift") < 0.01


def test_signing_in_by_keyboard_alone(open_page: OpenPage) -> None:
    page = open_page("/login")
    expect(page.locator("#username")).to_be_focused()
    page.keyboard.type(USER)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/")
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()


def test_first_numbers_and_signing_in_need_no_javascript(open_page: OpenPage) -> None:
    page = open_page("/login", java_script_enabled=False)
    sign_in(page)
    assert "%" in page.inner_text('[data-figure="memory"]')
    page.click('form[action="/logout"] button')
    page.wait_for_url("**/login")


def test_both_sides_write_numbers_alike(open_overview: OpenPage) -> None:
    from web import readable

    page = open_overview()
    address = page.evaluate("document.querySelector('link[href$=\"js/format.js\"]').href")
    values = [
        None,
        0,
        1,
        9.994,
        99.94,
        512,
        999,
        1000,
        1023,
        1024,
        10240,
        1048576,
        123456789,
        5e12,
        3725,
        86400,
        7e9,
    ]
    for name in ("percent", "size", "rate", "number", "duration", "load", "took"):
        drawn = page.evaluate(
            "async ([address, name, values]) => values.map((await import(address))[name])",
            [address, name, values],
        )
        assert drawn == [getattr(readable, name)(value) for value in values], name


def test_a_revoked_session_says_so(open_page: OpenPage, complaints: list[str]) -> None:
    page = open_page("/login")
    sign_in(page)
    page.evaluate(
        """() => fetch("/api/auth/logout", { method: "POST",
            headers: { "X-CSRF-Token": document.querySelector('meta[name="csrf-token"]').content } })"""
    )
    page.click(".intro [data-send-test]")
    expect(page.locator("[data-banner-login]")).to_be_visible()
    expect(page.locator("[data-conn]")).to_have_attribute("data-state", "signed-out")
    complaints[:] = [text for text in complaints if "401" not in text]


def _background(page: Page) -> list[int]:
    colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
    return [int(part) for part in colour.removeprefix("rgb(").removesuffix(")").split(",")]
