"""What the web processes report about themselves, and how it is added up."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from vabhub.collectors import performance
from vabhub.collectors.performance import collect, quantile_s, summary
from web.performance import Performance


def window(**more: Any) -> dict[str, Any]:
    base = {"window_s": 10.0, "routes": [], "sockets": 1, "pushes": 20, "received": 5, "slow_clients": 0}
    return {**base, **more}


def route(requests: int, buckets: dict[str, int], **more: Any) -> dict[str, Any]:
    named = {"method": "GET", "route": "/api/x", "errors": 0, "refused": 0}
    return {**named, "requests": requests, "buckets": buckets, **more}


@pytest.mark.parametrize(
    ("share", "expected"), [(0.5, 0.01), (0.25, 0.005), (0.75, 0.055), (0.9, 0.1), (1.0, 0.1)]
)
def test_quantiles_lie_inside_their_bucket(share: float, expected: float) -> None:
    buckets = {"0.01": 50, "0.1": 90, "+Inf": 100}
    assert quantile_s(buckets, share) == pytest.approx(expected, abs=0.012)


def test_what_nobody_measured_is_unknown() -> None:
    assert quantile_s({}, 0.5) is None
    assert quantile_s({"0.01": 0, "+Inf": 0}, 0.5) is None
    empty = summary([window()])
    assert (empty["p99_ms"], empty["requests_per_s"], empty["routes"]) == (None, 0, [])


def test_processes_are_added_up_by_route() -> None:
    fast, slow = {"0.01": 10, "0.1": 10, "+Inf": 10}, {"0.01": 0, "0.1": 10, "+Inf": 10}
    found = summary(
        [
            window(routes=[route(10, fast, errors=1)]),
            window(routes=[route(10, slow), route(1, fast, route="/y")]),
        ]
    )
    assert found["processes"] == 2
    assert found["requests_per_s"] == 2.1
    assert found["messages_per_s"] == 4
    assert (found["sockets"], found["errors"]) == (2, 1)
    assert [(one["route"], one["requests"]) for one in found["routes"]] == [("/api/x", 20), ("/y", 1)]
    assert found["routes"][0]["p99_ms"] > 90


def test_only_the_busiest_routes_are_shown() -> None:
    many = [route(number, {"+Inf": number}, route=f"/r{number}") for number in range(1, 200)]
    assert [one["requests"] for one in summary([window(routes=many)])["routes"]] == list(range(199, 149, -1))


def test_a_window_holds_what_came_since_by_route_template(client: FlaskClient) -> None:
    counted = Performance()
    for number in range(3):
        client.get(f"/api/notifications/{number + 1}")
    found = counted.window()
    (one,) = [one for one in found["routes"] if one["route"] == "/api/notifications/<id:notification_id>"]
    assert (one["requests"], one["refused"], one["errors"]) == (3, 3, 0)
    assert max(one["buckets"].values()) == 3


def test_reports_are_collected_and_none_is_an_error(redis: None) -> None:
    assert collect().status == "error"
    performance.report("one", window(sockets=4))
    snapshot = collect()
    assert snapshot.data is not None
    assert (snapshot.status, snapshot.data["sockets"]) == ("ok", 4)
