"""The cache's page, as it is drawn before JavaScript runs."""

from __future__ import annotations

from bs4 import BeautifulSoup

from tests.web.conftest import CookieClient
from vabhub.cache import cached, store
from web.cache_page import bars, build_time, share


def test_the_page_is_drawn_with_its_first_numbers(admin_client: CookieClient) -> None:
    @cached(ttl=60, key_prefix="drawn")
    def one() -> int:
        return 1

    assert (one(), one()) == (1, 1)
    page = BeautifulSoup(admin_client.get("/system/cache").text, "html.parser")
    rows = {row.th.text: [cell.text for cell in row.find_all("td")] for row in page.select("[data-list] tr")}
    assert rows["drawn"][:2] == ["50.0\u00a0%", "1"]
    assert [card["data-tier"] for card in page.select("[data-tier]")] == ["memory", "redis", "database"]
    assert len(page.select("[data-bars] rect")) == 60
    assert page.select_one("footer a[href='/system/cache']")["aria-current"] == "page"  # type: ignore[index]
    store().clear()


def test_what_is_unknown_is_a_dash_and_no_zero() -> None:
    assert share(None) == "–"
    assert build_time(None) == build_time({"p50": None, "p95": None}) == "– / –"
    assert bars(None) == []
    assert bars([{"hit_ratio": None}]) == [{"x": 0.0, "height": 0}]


def test_a_stranger_is_led_to_sign_in(client: CookieClient, admin: tuple[str, str]) -> None:
    answer = client.get("/system/cache", headers={"Accept": "text/html"})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/login")
