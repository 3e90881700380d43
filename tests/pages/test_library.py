"""The library's page as a browser without JavaScript sees it."""

from __future__ import annotations

from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from flask.testing import FlaskClient

from tests.collectors.library.trees import make_tree
from vabhub.collectors.library import run_scan, sync_roots
from vabhub.db import transaction
from vabhub.settings import MediaRoot, Settings
from web.library_paint import growth_points, work_text

HTML = {"Accept": "text/html", "Accept-Language": "en"}
ODD = "Show/<script>window.harmed = 1<"


def _page(client: FlaskClient, path: str = "/library") -> BeautifulSoup:
    answer = client.get(path, headers=HTML)
    assert answer.status_code == 200, answer.data
    return BeautifulSoup(answer.data, "html.parser")


@pytest.fixture
def scanned(admin_client: FlaskClient, sqlite: Settings, tmp_path: Path) -> int:
    """A root with one odd file, and one episode that lies there twice."""
    make_tree(tmp_path / "tv", [f"{ODD}.mkv", "Show/Show S01E01 720p.mkv", "Show/Show S01E01 1080p.mkv"])
    roots = (MediaRoot(path=tmp_path / "tv", kind="tv"),)
    with transaction() as session:
        [root_id] = sync_roots(session, sqlite.model_copy(update={"media_roots": roots}))
    run_scan(root_id)
    return root_id


def test_without_roots_the_page_says_how_to_name_them(admin_client: FlaskClient) -> None:
    page = _page(admin_client)
    assert page.select_one("[data-how]").get("hidden") is None
    assert page.select_one('.nav a[aria-current="page"]')["href"] == "/library"
    assert page.select("[data-roots] li") == []


def test_roots_odd_names_and_copies_are_drawn(admin_client: FlaskClient, scanned: int) -> None:
    page = _page(admin_client)
    [root] = page.select("[data-roots] li")
    assert root.select_one('[data-slot="files"]').text == "3 files"
    assert root.select_one('[data-slot="state"]').text.startswith("Scanned ")
    [odd] = page.select(".lib-file")
    assert odd.select_one('[data-slot="path"]').text == f"{ODD}.mkv"
    [work] = page.select(".lib-work")
    assert work.select_one('[data-slot="title"]').text == "Show S01E01"
    assert [one.text for one in work.select('[data-slot="quality"]')] == ["1080p", "720p"]


@pytest.mark.parametrize("query", ["unparsed=99", "duplicates=-1", "unparsed=x&duplicates=" + "9" * 30])
def test_a_page_that_is_not_there_is_empty_and_no_error(
    admin_client: FlaskClient, scanned: int, query: str
) -> None:
    assert _page(admin_client, f"/library?{query}").select_one("h1").text == "Library"


def test_a_stranger_is_led_to_sign_in(client: FlaskClient, admin: tuple[str, str]) -> None:
    assert client.get("/library", headers=HTML).location == "/login"


def test_the_tile_shows_what_came_last_and_says_that_growth_is_not_known(
    admin_client: FlaskClient, scanned: int
) -> None:
    tile = _page(admin_client, "/").select_one('[data-card="library"]')
    assert {one.text for one in tile.select(".recent [data-slot=title]")} == {"Show S01E01"}
    assert tile.select_one("[data-grown-text]").text == "Growth is known after two days"


def test_works_are_named_with_year_or_place() -> None:
    assert work_text({"kind": "movie", "title": "Dune", "year": 2021}) == "Dune (2021)"
    assert work_text({"kind": "movie", "title": "Dune", "year": None}) == "Dune"
    assert work_text({"kind": "anime", "title": "A", "season": None, "episode": 112}) == "A E112"


def test_the_line_of_growth_keeps_the_distance_of_days() -> None:
    days = [("2026-01-01", 10), ("2026-01-02", 20), ("2026-01-11", 30)]
    growth = {"days": [{"day": day, "size_gb": size} for day, size in days]}
    assert growth_points(growth) == "0.0,22.0 10.0,12.0 100.0,2.0"
    assert growth_points({"days": growth["days"][:1]}) == growth_points(None) == ""
