"""A download client is set up on the page: tried, mended, saved, and read without a restart."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import StorageState, expect

from tests.browser.conftest import OpenPage
from tests.support.aria2 import SECRET, Aria2Server
from tests.support.stack import Stack

PATIENCE_MS = 30_000


@pytest.fixture(scope="module")
def aria2(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aria2Server]:
    """A real aria2 with one download that waits."""
    with Aria2Server(tmp_path_factory.mktemp("aria2")) as server:
        server.call("aria2.addUri", ["http://127.0.0.1:1/film.mkv"], {"pause": "true"})
        yield server


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """All processes, without any service."""
    directory: Path = tmp_path_factory.mktemp("stack")
    with Stack(directory) as running:
        yield running


def test_a_service_is_set_up_tried_used_and_removed(
    open_page: OpenPage, session: StorageState, aria2: Aria2Server
) -> None:
    page = open_page("/settings/services", cookies=session["cookies"])
    page.click("text=Add a service")
    page.click("text=aria2")
    page.fill('[data-field="name"]', "attic")
    page.fill('[data-field="settings.url"]', aria2.url)
    page.fill('[data-field="settings.secret"]', "wrong")
    page.click("[data-test]")
    expect(page.locator("[data-trial]")).to_contain_text("Signing in was refused", timeout=PATIENCE_MS)
    page.fill('[data-field="settings.secret"]', SECRET)
    page.click("[data-test]")
    expect(page.locator("[data-trial-head]")).to_contain_text("version 1.", timeout=PATIENCE_MS)
    page.click("[data-save]")
    row = page.locator(".service", has_text="attic")
    expect(row).to_have_attribute("data-state", "online", timeout=PATIENCE_MS)
    page.goto("/downloads")
    expect(page.locator(".dl")).to_contain_text("film.mkv", timeout=PATIENCE_MS)
    page.goto("/settings/services")
    row.locator('[data-act="toggle"]').click()
    expect(row).to_have_attribute("data-state", "off", timeout=PATIENCE_MS)
    row.locator('[data-act="remove"]').click()
    page.click("[data-confirm-yes]")
    expect(row).to_have_count(0, timeout=PATIENCE_MS)


def test_the_pages_fit_a_phone_in_chinese(open_page: OpenPage, session: StorageState) -> None:
    for path in ("/settings/services", "/settings/new-service", "/settings/new-service?kind=sabnzbd"):
        page = open_page(path, cookies=session["cookies"], width=360, locale="zh-CN", color_scheme="dark")
        expect(page.locator("h1")).to_be_visible(timeout=PATIENCE_MS)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
