"""The downloads' page and tile in a real browser, over a real aria2 and a list of thousands."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, StorageState, expect

from tests.browser.conftest import OpenPage
from tests.contracts.downloads.fakes import FakeTransmission
from tests.support.aria2 import SECRET, Aria2Server
from tests.support.scripted_http import scripted_http
from tests.support.stack import Stack
from tests.support.torrents import web_seed

MANY = 5000
PATIENCE_MS = 30_000
MARKUP = "<img src=x onerror='window.harmed = 1'>"


class ManyTorrents(FakeTransmission):
    """A Transmission with a long list, every name different."""

    def _arguments(self, method: str) -> dict[str, Any]:
        found = super()._arguments(method)
        for number, torrent in enumerate(found.get("torrents", ())):
            torrent["name"] = f"film {number:04}"
        return found


@pytest.fixture(scope="module")
def aria2(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aria2Server]:
    """A real aria2 with nothing in it."""
    with Aria2Server(tmp_path_factory.mktemp("aria2")) as server:
        yield server


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, aria2: Aria2Server) -> Iterator[Stack]:
    """All processes, over the two clients."""
    with (
        scripted_http(ManyTorrents(count=MANY).script) as (url, _),
        Stack(
            tmp_path_factory.mktemp("stack"),
            VABHUB_TRANSMISSION_URL=url,
            VABHUB_ARIA2_URL=aria2.url,
            VABHUB_ARIA2_SECRET=SECRET,
        ) as running,
    ):
        yield running


@pytest.fixture
def slow_file() -> Iterator[str]:
    """The address of a file that takes minutes."""
    with web_seed(os.urandom(8 * 1024 * 1024), bytes_per_s=32 * 1024) as address:
        yield address


def _row(page: Page, name: str) -> Any:
    return page.locator(".dl", has_text=name)


def test_thousands_of_rows_are_scrolled_searched_and_sorted(
    open_page: OpenPage, session: StorageState
) -> None:
    page = open_page("/downloads", cookies=session["cookies"])
    expect(page.locator('[data-group="all"] [data-count]')).to_contain_text("5", timeout=PATIENCE_MS)
    expect(_row(page, "film 0000")).to_be_visible(timeout=PATIENCE_MS)
    assert page.locator(".dl").count() < 100
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    expect(_row(page, f"film {MANY - 1}")).to_be_visible(timeout=PATIENCE_MS)
    assert page.locator(".dl").count() < 100
    page.fill("[data-search]", "film 0042")
    expect(page.locator(".dl")).to_have_count(1, timeout=PATIENCE_MS)
    page.fill("[data-search]", "film 00")
    page.click("[data-order]")
    expect(page.locator(".dl").first).to_contain_text("film 0099", timeout=PATIENCE_MS)
    assert "order=desc" in page.url and "q=film" in page.url


def test_a_download_is_paused_from_the_tile_and_deleted_from_the_page(
    open_page: OpenPage, session: StorageState, aria2: Aria2Server, slow_file: str, tmp_path: Path
) -> None:
    aria2.call("aria2.addUri", [slow_file], {"out": "a wanted.bin"})
    page = open_page("/", cookies=session["cookies"])
    item = page.locator(".item", has_text="a wanted.bin")
    item.locator('[data-act="pause"]').click()
    expect(page.locator('[data-card="events"]')).to_contain_text(
        "admin paused a wanted.bin in aria2", timeout=PATIENCE_MS
    )
    page.click(".tile-link >> text=All downloads")
    page.fill("[data-search]", "wanted")
    expect(_row(page, "wanted")).to_have_attribute("data-state", "paused", timeout=PATIENCE_MS)
    page.check("[data-all]")
    page.click('[data-bulk="delete"]')
    dialog = page.locator("[data-delete]")
    expect(dialog).to_contain_text("a wanted.bin", timeout=PATIENCE_MS)
    expect(dialog).to_contain_text("aria2 stay", timeout=PATIENCE_MS)
    dialog.locator("[value=no]").click()
    expect(_row(page, "wanted")).to_be_visible(timeout=PATIENCE_MS)
    page.click('[data-bulk="delete"]')
    dialog.locator("[value=yes]").click()
    expect(_row(page, "wanted")).to_have_count(0, timeout=PATIENCE_MS)
    assert aria2.call("aria2.tellStopped", 0, 10) == aria2.call("aria2.tellWaiting", 0, 10) == []


def test_a_name_is_text_and_a_phone_holds_the_page(
    open_page: OpenPage, session: StorageState, aria2: Aria2Server, slow_file: str
) -> None:
    gid = aria2.call("aria2.addUri", [slow_file], {"out": MARKUP, "pause": "true"})
    page = open_page("/downloads?q=onerror", cookies=session["cookies"], width=360)
    expect(_row(page, "onerror").locator('[data-act="resume"]')).to_be_visible(timeout=PATIENCE_MS)
    assert page.evaluate("window.harmed") is None
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    aria2.call("aria2.remove", gid)
