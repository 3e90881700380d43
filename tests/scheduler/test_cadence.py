"""Sources slow down while nobody follows them, and wake when somebody does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from scheduler.cadence import Rhythm, newly_followed
from tests.live.server import WebServer, running
from tests.scheduler.test_process import Scheduler, start
from tests.support.redis import RedisServer
from tests.support.waiting import wait_until
from vabhub.clock import parse_iso, utcnow
from vabhub.collectors.performance import collect
from vabhub.events import bus, demand
from vabhub.events.topics import Topic
from vabhub.redis_client import get_redis

__all__ = ["start"]


@pytest.fixture
def web(tmp_path: Path, own_redis: RedisServer) -> Iterator[WebServer]:
    with running(tmp_path, own_redis.url) as server:
        yield server


def test_followers_of_all_processes_are_added_up(redis: None) -> None:
    demand.say("one", {Topic.SYSTEM: 2, Topic.DASHBOARD: 0})
    demand.say("two", {Topic.SYSTEM: 1, Topic.DOWNLOADS: 4})
    assert demand.followers() == {"system": 3, "downloads": 4}
    demand.say("two", {})
    assert demand.followers() == {"system": 2}
    demand.leave("one")
    assert demand.followers() == {}


def test_a_process_that_fell_silent_is_forgotten(redis: None) -> None:
    demand.say("dead", {Topic.SYSTEM: 2})
    get_redis().zadd("vabhub:live:heard", {"dead": 1})
    assert demand.followers() == {}
    assert get_redis().hlen("vabhub:live:followers") == 0


def test_a_rhythm_is_slow_while_nobody_follows_but_never_older_than_rest_may_be(redis: None) -> None:
    rhythm = Rhythm(Topic.SYSTEM, 1000, 4000)
    assert rhythm.is_due()
    assert not rhythm.is_due()
    assert newly_followed([rhythm]) == []
    demand.say("web", {Topic.SYSTEM: 1})
    assert newly_followed([rhythm]) == [rhythm]
    assert newly_followed([rhythm]) == []
    assert (rhythm._fast_s, rhythm._slow_s) == (1000, 3200)


def test_who_subscribes_wakes_a_source_that_sleeps(start: Callable[..., Scheduler], web: WebServer) -> None:
    # Awake it publishes every 2 s, asleep every 8 s.
    scheduler = start(VABHUB_SYSTEM_INTERVAL_S="2")
    assert scheduler.process.poll() is None
    wait_until(lambda: demand.followers() == {} and asleep(), timeout_s=40, what="a pause of over 5 s")
    with web.connect() as client:
        client.ask({"type": "subscribe", "topics": ["system"]})
        seen = [client.until("system_update", 20)["seq"] for _ in range(4)]
        assert len(set(seen)) == 4
        assert demand.followers() == {"system": 1}
        client.send({"type": "subscribe", "topics": ["api_performance"]})
        update = client.until("api_performance_update", 20)
        while update["data"].get("sockets") != 1:  # the last value, from before this socket was counted
            update = client.until("api_performance_update", 20)
        assert (update["meta"]["source"], update["data"]["processes"]) == ("api_performance", 1)
    wait_until(lambda: demand.followers() == {}, what="nobody follows")


def test_a_web_process_reports_before_anybody_opens_a_socket(web: WebServer) -> None:
    snapshot = wait_until(lambda: (one := collect()).data and one, what="a report")
    assert snapshot.data is not None
    assert (snapshot.data["processes"], snapshot.data["sockets"]) == (1, 0)


def asleep() -> bool:
    """Return whether the last value is older than the fast rhythm could make it."""
    last: dict[str, Any] | None = bus.last(Topic.SYSTEM)
    return last is not None and (utcnow() - parse_iso(last["timestamp"])).total_seconds() > 5
