"""The dashboard over HTTP: meta, ETag, 304, and what is unknown."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask

from tests.support.redis import RedisServer
from tests.web.conftest import CookieClient
from vabhub import redis_client
from vabhub.clock import utcnow
from vabhub.collectors.base import Snapshot
from vabhub.collectors.publish import publish_snapshot
from vabhub.settings import Settings, use_settings
from web import schemas

PATHS = {
    "/api/dashboard": 30,
    "/api/dashboard/": 30,
    "/api/dashboard/system-stats": 10,
    "/api/dashboard/stats/system": 10,
    "/api/dashboard/media-stats": 60,
    "/api/dashboard/stats/media": 60,
    "/api/dashboard/download-stats": 5,
    "/api/dashboard/downloader-status": 5,
    "/api/dashboard/storage-stats": 30,
    "/api/dashboard/music-stats": 60,
}


@pytest.mark.parametrize(("path", "ttl_s"), PATHS.items())
def test_every_view_answers_with_its_ttl_and_meta(
    client: CookieClient, token: Callable[..., dict[str, str]], path: str, ttl_s: int
) -> None:
    answer = client.get(path, headers=token("read"))
    assert answer.status_code == 200
    content = answer.get_json()
    assert content["success"] is True
    assert content["meta"]["ttl_s"] == ttl_s
    assert {"source", "collected_at", "age_s", "ttl_s", "cache", "status"} <= set(content["meta"])
    assert answer.headers["Cache-Control"].startswith("private, max-age=")
    assert answer.headers["ETag"].startswith('"')


def test_system_numbers_are_real_and_the_rest_is_null(
    client: CookieClient, token: Callable[..., dict[str, str]]
) -> None:
    header = token("read")
    system = client.get("/api/dashboard/system-stats", headers=header).get_json()["data"]
    assert set(schemas.SystemStats.model_fields) <= set(system)
    assert 0 < system["memory_usage"] < 100
    media = client.get("/api/dashboard/media-stats", headers=header).get_json()
    assert media["meta"]["status"] == "unconfigured"
    assert media["data"]["total_movies"] is None
    downloads = client.get("/api/dashboard/download-stats", headers=header).get_json()
    assert downloads["meta"]["status"] == "unconfigured"
    assert downloads["data"]["active"] is None
    assert "downloaders" not in downloads["data"]
    whole = client.get("/api/dashboard/", headers=header).get_json()["data"]
    assert whole["system_stats"]["memory_total_gb"] == system["memory_total_gb"]
    assert whole["recent_events"] == []


def test_the_same_data_is_not_sent_twice(client: CookieClient, token: Callable[..., dict[str, str]]) -> None:
    header = token("read")
    publish_snapshot(Snapshot("system", utcnow(), data={"cpu_usage": 12.5}))
    etag = client.get("/api/dashboard/system-stats", headers=header).headers["ETag"]
    again = client.get("/api/dashboard/stats/system", headers={**header, "If-None-Match": etag})
    assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", etag)
    assert (
        client.get("/api/dashboard/system-stats", headers={**header, "If-None-Match": "*"}).status_code == 304
    )
    publish_snapshot(Snapshot("system", utcnow(), data={"cpu_usage": 99.0}))
    changed = client.get("/api/dashboard/system-stats", headers={**header, "If-None-Match": etag})
    assert (changed.status_code, changed.get_json()["data"]["cpu_usage"]) == (200, 99.0)


def test_the_browser_may_keep_an_answer_for_what_is_left(
    client: CookieClient, token: Callable[..., dict[str, str]]
) -> None:
    publish_snapshot(Snapshot("system", utcnow() - timedelta(seconds=6.5), data={"cpu_usage": 1.0}))
    answer = client.get("/api/dashboard/system-stats", headers=token("read"))
    assert answer.headers["Cache-Control"] == "private, max-age=3"


def test_the_whole_is_as_old_as_its_oldest_part(
    client: CookieClient, token: Callable[..., dict[str, str]]
) -> None:
    at = utcnow() - timedelta(seconds=14)
    publish_snapshot(Snapshot("system", at, data={"cpu_usage": 1.0}))
    meta = client.get("/api/dashboard/", headers=token("read")).get_json()["meta"]
    assert 14 <= meta["age_s"] < 16


def test_history_is_empty_at_first_and_keeps_its_range(
    client: CookieClient, token: Callable[..., dict[str, str]]
) -> None:
    answer = client.get(
        "/api/dashboard/system-resources-history?hours=1&interval_minutes=5", headers=token("read")
    )
    assert answer.status_code == 200
    assert answer.headers["ETag"]


def test_the_dashboard_answers_without_redis(sqlite: Settings, tmp_path: Path) -> None:
    from vabhub import accounts
    from vabhub.db import transaction
    from web import create_app

    own = RedisServer(tmp_path / "own")
    own.start()
    redis_client.close()
    app: Flask = create_app(sqlite.model_copy(update={"redis_url": own.url}))
    with transaction() as session:
        _, secret = accounts.create_token(session, "t", ["read"])
    own.remove()
    for path, ttl_s in PATHS.items():
        answer = app.test_client().get(path, headers={"X-Api-Key": secret})
        assert (answer.status_code, answer.get_json()["meta"]["ttl_s"]) == (200, ttl_s)
    redis_client.close()
    use_settings(sqlite)
