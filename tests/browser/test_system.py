"""The page /system: how the web processes do, live, by route template."""

from __future__ import annotations

from playwright.sync_api import StorageState, expect

from tests.browser.conftest import OpenPage


def test_requests_and_sockets_are_shown_live(open_page: OpenPage, session: StorageState) -> None:
    page = open_page("/system", cookies=session["cookies"])
    tile = page.locator('[data-card="performance"]')
    expect(tile).to_have_attribute("data-status", "ok", timeout=20_000)
    expect(tile.locator('[data-slot="processes"]')).to_have_text("1")
    expect(tile.locator('[data-slot="sockets"]')).not_to_have_text("–")
    expect(tile.locator('[data-slot="route"]', has_text="/api/notifications").first).to_be_visible(
        timeout=30_000
    )
    expect(page.locator('nav.nav [aria-current="page"]')).to_have_text("System")
    for width in (360, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width
