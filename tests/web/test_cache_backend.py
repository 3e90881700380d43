"""Flask-Caching on the tiers, and how many statements a dashboard request makes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask, Response
from sqlalchemy import event

from tests.support.waiting import wait_until
from tests.web.conftest import CookieClient
from tests.web.test_dashboard import PATHS
from vabhub import clock
from vabhub.cache import store
from vabhub.clock import utcnow
from vabhub.collectors.base import Snapshot
from vabhub.collectors.publish import publish_snapshot
from vabhub.db import get_engine, transaction
from vabhub.models import Activity
from web import dashboard_data, extensions
from web.extensions import TiersCache, cache

# What a cold request may need: who calls and when last, and what the overview is made of.
MOST_COLD = 15


@pytest.fixture
def bare(sqlite: object, redis: None) -> Flask:
    app = Flask("bare")
    extensions.init_app(app)
    return app


@pytest.fixture
def statements() -> Iterator[Counter[str]]:
    """Counts the SQL statements of this process."""
    found: Counter[str] = Counter()

    def count(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        found["all"] += not statement.startswith(("BEGIN", "PRAGMA"))

    engine = get_engine()
    event.listen(engine, "before_cursor_execute", count)
    yield found
    event.remove(engine, "before_cursor_execute", count)


def test_a_view_and_the_domain_share_one_store(bare: Flask) -> None:
    calls = Counter[str]()

    @bare.get("/text")
    @cache.cached(timeout=60)
    def text() -> str:
        calls["text"] += 1
        return f"text {calls['text']}"

    @bare.get("/answer")
    @cache.cached(timeout=60)
    def answer() -> Response:
        calls["answer"] += 1
        return Response(f"{calls['answer']}", status=418, headers={"X-Kept": "yes"})

    client = bare.test_client()
    assert [client.get("/text").text for _ in range(2)] == ["text 1"] * 2
    assert [client.get("/answer").text for _ in range(2)] == ["1"] * 2
    assert (client.get("/answer").status_code, client.get("/answer").headers["X-Kept"]) == (418, "yes")
    assert store().get("view:view//text").value == "text 1"  # type: ignore[union-attr]
    store().delete_prefix("view:")
    assert client.get("/text").text == "text 2"


def test_the_backend_keeps_cachelibs_promises(bare: Flask) -> None:
    with bare.app_context():
        backend = extensions.backend(bare)
        assert isinstance(backend, TiersCache)
        assert backend.set("domain:1", {"a": (1, None)}, timeout=timedelta(seconds=5))
        assert store().get("domain:1").value == {"a": (1, None)}  # type: ignore[union-attr]
        assert backend.get("domain:1") == {"a": (1, None)}
        assert (backend.add("domain:1", 2), backend.add("new", 3), backend.get("new")) == (False, True, 3)
        assert backend.get_many("new", "absent") == [3, None]
        assert backend.inc("number", 2) == 2
        assert backend.inc("number") == 3
        assert backend.dec("number", 3) == 0
        assert (backend.delete("new"), backend.delete("new"), backend.has("new")) == (True, False, False)
        assert backend.clear()
        assert (backend.has("number"), backend.has("domain:1")) == (False, True)


@pytest.mark.parametrize("timeout", [0, -1, timedelta(0)])
def test_a_timeout_of_zero_is_no_default(bare: Flask, timeout: Any) -> None:
    with pytest.raises(ValueError, match="TTL"):
        extensions.backend(bare).set("key", 1, timeout)


def test_what_cannot_be_kept_is_answered_all_the_same(bare: Flask) -> None:
    assert extensions.backend(bare).set("key", object()) is False
    assert extensions.backend(bare).get("key") is None


@pytest.mark.parametrize("path", PATHS)
def test_a_warm_dashboard_asks_the_database_nothing(
    client: CookieClient, token: Callable[..., dict[str, str]], statements: Counter[str], path: str
) -> None:
    header, at = token("read"), utcnow()
    store().start()
    wait_until(lambda: store().hears, what="memory is emptied when the process begins to hear the others")
    with clock.frozen(lambda: at):  # who calls is looked up anew each second
        assert client.get(path, headers=header).status_code == 200
        statements.clear()
        assert client.get(path, headers=header).get_json()["meta"]["cache"] == "hit"
        assert statements["all"] == 0


def test_a_cold_dashboard_asks_no_more_for_more_rows(
    client: CookieClient, token: Callable[..., dict[str, str]], statements: Counter[str]
) -> None:
    asked = []
    for rows in (0, 1, 20):
        with transaction() as session:
            session.add_all(Activity(at=utcnow(), kind="test", title=str(n), source="t") for n in range(rows))
        header = token("read")
        store().clear()
        dashboard_data.init_app(client.application)
        statements.clear()
        answer = client.get("/api/dashboard/", headers=header).get_json()
        assert answer["meta"]["cache"] == "miss"
        assert len(answer["data"]["recent_events"]) == min(20, sum((0, 1, 20)[: len(asked) + 1]))
        asked.append(statements["all"])
    assert asked[2] <= asked[1] <= asked[0] <= MOST_COLD, asked


def test_a_pushed_value_is_the_one_that_is_served(
    client: CookieClient, token: Callable[..., dict[str, str]]
) -> None:
    header = token("read")
    for number in (1.0, 2.0, 3.0):
        publish_snapshot(Snapshot("system", utcnow(), data={"cpu_usage": number}))
        answer = client.get("/api/dashboard/system-stats", headers=header).get_json()
        assert (answer["data"]["cpu_usage"], answer["meta"]["cache"]) == (number, "hit")


def test_a_revoked_token_ends_at_once(
    client: CookieClient, admin_client: CookieClient, token: Callable[..., dict[str, str]]
) -> None:
    header = token("read")
    assert client.get("/api/dashboard/system-stats", headers=header).status_code == 200
    found = admin_client.get("/api/tokens").get_json()["data"]
    items = found["items"] if isinstance(found, dict) else found
    assert admin_client.delete(f"/api/tokens/{items[0]['id']}").status_code in (200, 204)
    assert client.get("/api/dashboard/system-stats", headers=header).status_code == 401
