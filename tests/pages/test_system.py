"""The page /system as a browser without JavaScript sees it."""

from __future__ import annotations

from bs4 import BeautifulSoup, Tag
from flask.testing import FlaskClient

from vabhub.collectors import performance
from vabhub.collectors.publish import publish_snapshot
from vabhub.events.topics import Topic

HTML = {"Accept": "text/html", "Accept-Language": "en"}


def drawn(client: FlaskClient) -> Tag:
    answer = client.get("/system", headers=HTML)
    assert answer.status_code == 200
    tile = BeautifulSoup(answer.text, "html.parser").select_one('[data-card="performance"]')
    assert tile is not None
    return tile


def test_what_is_not_known_is_a_dash(admin_client: FlaskClient) -> None:
    tile = drawn(admin_client)
    assert {one.text for one in tile.select(".states-n")} == {"–"}
    assert tile["data-status"] == "unknown"


def test_last_numbers_are_drawn(admin_client: FlaskClient) -> None:
    buckets = {"0.01": 30, "+Inf": 30}
    route = {
        "method": "GET",
        "route": "/api/<x>",
        "requests": 30,
        "errors": 2,
        "refused": 1,
        "buckets": buckets,
    }
    window = {"window_s": 60.0, "sockets": 7, "pushes": 90, "received": 0, "slow_clients": 0}
    performance.report("one", {**window, "routes": [route]})
    publish_snapshot(performance.collect(), Topic.API_PERFORMANCE)
    tile = drawn(admin_client)
    assert tile.select_one('.states [data-slot="sockets"]').text == "7"  # type: ignore[union-attr]
    assert tile.select_one('.states [data-slot="messages"]').text == "1.5\u00a0/s"  # type: ignore[union-attr]
    row = tile.select_one("[data-routes] tr")
    assert row is not None
    assert "/api/<x>" in row.text
    assert row.select_one('[data-slot="errors"]').text == "2"  # type: ignore[union-attr]
