"""Statistics, warming and forgetting over HTTP; shared by all processes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest
from flask import Flask

from tests.support.tiers import patient_redis
from tests.support.waiting import wait_until
from tests.web.conftest import CookieClient
from vabhub.cache import Tiers, cached, store
from vabhub.cache.memory import Memory
from vabhub.cache.report import quantile_ms
from web import warm_up
from web.dashboard_data import VIEWS


def _prefix(client: CookieClient, name: str) -> dict[str, object]:
    answer = client.get("/api/cache/stats")
    assert answer.status_code == 200, answer.text
    found: list[dict[str, object]] = [
        one for one in answer.get_json()["data"]["prefixes"] if one["prefix"] == name
    ]
    return found[0] if found else {}


def test_statistics_tell_hits_builds_and_sizes_by_prefix(admin_client: CookieClient) -> None:
    store().start()
    wait_until(lambda: store().hears, what="memory is emptied when the process begins to hear the others")

    @cached(ttl=60, key_prefix="numbers")
    def double(x: int) -> int:
        return 2 * x

    assert [double(1), double(1), double(2)] == [2, 2, 4]
    double.invalidate(2)
    wait_until(lambda: _prefix(admin_client, "numbers").get("builds") == 2, what="it is counted")
    found = _prefix(admin_client, "numbers")
    assert (found["hits"], found["misses"], found["hit_ratio"]) == (1, 2, 0.3333)
    assert (found["invalidations"], found["stale"]) == (1, 0)
    assert found["build_ms"]["p50"] is not None  # type: ignore[index]
    assert found["tiers"]["memory"]["entries"] == 1  # type: ignore[index]
    data = admin_client.get("/api/cache/stats?minutes=3").get_json()["data"]
    assert len(data["timeline"]) == 3
    assert sum(minute["builds"] for minute in data["timeline"]) >= 2
    assert [tier["tier"] for tier in data["tiers"]] == ["memory", "redis", "database"]


def test_counters_of_processes_are_added_up(admin_client: CookieClient) -> None:
    for number in range(3):
        tiers = Tiers(Memory(), patient_redis())
        tiers.stats._name = f"process-{number}"
        tiers.stats.of("shared:1").memory_hits += 5
        wait_until(tiers.stats.flush, what="Redis takes it")
        assert tiers.stats.flush(), "nothing is counted twice"
    assert _prefix(admin_client, "shared")["hits"] == 15
    assert admin_client.get("/api/cache/stats").get_json()["data"]["processes"] >= 3


def test_a_quantile_lies_in_its_bucket_and_is_null_without_builds() -> None:
    assert quantile_ms(Counter(), 0.5) is None
    counts = Counter({"le:0.01": 90, "le:1": 10})
    assert 5 <= (quantile_ms(counts, 0.5) or 0) <= 10
    assert 500 <= (quantile_ms(counts, 0.95) or 0) <= 1000


def test_warming_builds_every_view_and_a_second_time_none(admin_client: CookieClient) -> None:
    first = admin_client.post("/api/cache/warm").get_json()["data"]
    assert {step["name"] for step in first} == set(VIEWS)
    assert "miss" in {step["result"] for step in first}
    second = admin_client.post("/api/cache/warm").get_json()["data"]
    assert {step["result"] for step in second if step["name"] in ("system", "storage")} == {"hit"}


def test_forgetting_needs_a_prefix_and_takes_only_that(admin_client: CookieClient) -> None:
    for key in ("a:1", "a:2", "b:1"):
        store().set(key, key, 60)
    for wrong in ("", "?prefix=", "?prfix=a", "?prefix=" + "x" * 201):
        assert admin_client.delete(f"/api/cache{wrong}").status_code == 422, wrong
    answer = admin_client.delete("/api/cache?prefix=a:").get_json()["data"]
    assert answer == {"prefix": "a:", "forgotten": 2}
    assert store().get("a:1") is None
    assert store().get("b:1") is not None


def test_a_forgotten_reading_is_read_anew(admin_client: CookieClient) -> None:
    path = "/api/dashboard/system-stats"
    assert admin_client.get(path).get_json()["meta"]["cache"] == "miss"
    assert admin_client.get(path).get_json()["meta"]["cache"] == "hit"
    assert admin_client.delete("/api/cache?prefix=snapshot:").status_code == 200
    assert admin_client.get(path).get_json()["meta"]["cache"] == "miss"


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", "/api/cache/stats", "read"),
        ("POST", "/api/cache/warm", "control"),
        ("DELETE", "/api/cache?prefix=a", "control"),
    ],
)
def test_each_needs_its_scope(
    client: CookieClient, token: Callable[..., dict[str, str]], method: str, path: str, scope: str
) -> None:
    assert client.open(path, method=method).status_code == 401
    other = "notify" if scope == "read" else "read"
    assert client.open(path, method=method, headers=token(other)).status_code == 403
    assert client.open(path, method=method, headers=token(scope)).status_code == 200


def test_readiness_waits_for_the_first_warming(app: Flask, client: CookieClient) -> None:
    assert client.get("/readyz").status_code == 200
    state = app.extensions["vabhub_warm_up"] = warm_up.WarmUp(2)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.get_json()["details"]["missing"] == {"cache": "being warmed, 0 of 2"}
    state.steps = 0
    assert client.get("/readyz").status_code == 200
    warm_up.start(app)
    wait_until(lambda: client.get("/readyz").status_code == 200, what="all is built")
    assert len(app.extensions["vabhub_warm_up"].done) == len(VIEWS)


def test_prometheus_reads_the_same_counters(client: CookieClient, app: Flask) -> None:
    store().set("measured:1", 1, 60)
    store().stats.of("measured:1").memory_hits += 3
    text = client.get("/metrics").text
    assert 'vabhub_cache_requests_total{prefix="measured",result="memory"} 3.0' in text
    assert 'vabhub_cache_build_seconds_bucket{le="0.001",prefix="measured"} 0.0' in text
    assert "vabhub_cache_evictions_total" in text
