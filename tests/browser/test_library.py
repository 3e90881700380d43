"""The library in a real browser: corrected, scanned, and its pictures shown."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import StorageState, expect

from tests.browser.conftest import OpenPage
from tests.collectors.library.trees import make_tree
from tests.support.stack import Stack

MARKUP = "<img src=x onerror='window.harmed = 1'>"
# A green picture of 2 × 3.
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAIAAAADCAIAAAA2iEnWAAAAEElEQVR4nGNgaPgPQ0gUAHepCfm/NIlWAAAAAElFTkSuQmCC"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two roots: a show with a picture, an odd name and copies, and one film."""
    root = tmp_path_factory.mktemp("media")
    show = "tv/The Long Way Home (2019)/Season 1/The.Long.Way.Home"
    tree = [f"{show}.S01E01.1080p.mkv", f"{show}.S01E01.2160p.WEB-DL.mkv", f"{show}.S01E02.1080p.mkv"]
    make_tree(root, [*tree, f"tv/Extras unknown/{MARKUP}.mkv", "movies/Dune.2021.2160p.mkv"])
    (root / "tv/The Long Way Home (2019)/poster.png").write_bytes(PNG)
    return root


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, folder: Path) -> Iterator[Stack]:
    """All processes over these folders."""
    roots = f"{folder}/tv:tv,{folder}/movies:movies"
    with Stack(tmp_path_factory.mktemp("stack"), VABHUB_MEDIA_ROOTS=roots) as running:
        yield running


def test_what_could_not_be_read_is_corrected_on_the_page(
    open_page: OpenPage, session: StorageState, folder: Path
) -> None:
    page = open_page("/library", cookies=session["cookies"])
    page.wait_for_selector('[data-conn][data-state="live"]')
    root = page.locator(".lib-root").first
    expect(root.locator('[data-slot="files"]')).to_have_text("4 files", timeout=60_000)
    expect(page.locator(".lib-work")).to_have_count(1)
    odd = page.locator(".lib-file")
    expect(odd.locator('[data-slot="path"]')).to_have_text(f"Extras unknown/{MARKUP}.mkv")

    odd.get_by_role("button", name="Correct").click()
    page.get_by_label("Title").fill("The Long Way Home")
    page.get_by_role("spinbutton", name="Season").fill("1")
    page.get_by_role("spinbutton", name="Episode").fill("3")
    page.get_by_role("button", name="Save").click()
    expect(odd.locator('[data-slot="is"]')).to_have_text("The Long Way Home S01E03")

    make_tree(folder, ["tv/Another Show/Another.Show.S02E05.mkv"])
    root.get_by_role("button", name="Scan now").click()
    expect(root.locator('[data-slot="files"]')).to_have_text("5 files", timeout=30_000)
    expect(odd.locator('[data-slot="is"]')).to_have_text("The Long Way Home S01E03")
    assert page.evaluate("window.harmed ?? null") is None


@pytest.mark.parametrize(("locale", "scheme"), [("en-US", "light"), ("zh-CN", "dark")])
def test_the_page_fits_a_narrow_screen(
    open_page: OpenPage, session: StorageState, locale: str, scheme: str
) -> None:
    page = open_page("/library", cookies=session["cookies"], width=360, locale=locale, color_scheme=scheme)
    expect(page.locator(".lib-work")).to_have_count(1, timeout=60_000)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert "library." not in page.inner_text("main")


def test_the_tile_shows_pictures_of_what_came_last(open_page: OpenPage, session: StorageState) -> None:
    page = open_page("/", cookies=session["cookies"])
    picture = page.locator('[data-card="library"] .recent img:not([hidden])').first
    expect(picture).to_be_visible(timeout=60_000)
    page.wait_for_function(
        "document.querySelector('[data-card=\"library\"] .recent img:not([hidden])').naturalWidth === 2"
    )
