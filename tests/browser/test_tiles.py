"""What the library's and the events' tiles say, in both languages."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenPage


@pytest.mark.parametrize(
    ("locale", "scanned"), [("en-US", "Movies: 2 files, 2 new"), ("zh-CN", "电影：共 2 个文件，新增 2 个")]
)
def test_a_scan_is_told_by_what_the_folder_holds(open_overview: OpenPage, locale: str, scanned: str) -> None:
    page = open_overview(locale=locale)
    event = page.locator('[data-card="events"] .event', has_text=scanned)
    expect(event).to_have_count(1, timeout=45_000)
    expect(event.locator('[data-slot="place"]')).to_contain_text("/films")
