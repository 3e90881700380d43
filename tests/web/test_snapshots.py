"""How old a number may be, and what happens when its source or Redis fails."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.redis import RedisServer
from tests.support.tiers import patient_redis
from tests.support.waiting import wait_until
from vabhub import clock, redis_client
from vabhub.cache import Tiers, codec
from vabhub.cache.entry import make_entry
from vabhub.cache.memory import Memory
from vabhub.cache.redis_tier import DATA
from vabhub.collectors.base import Snapshot
from vabhub.collectors.publish import publish_snapshot
from vabhub.errors import Unavailable
from vabhub.redis_client import get_redis
from vabhub.settings import Settings, use_settings
from web.snapshots import Snapshots

TTL_S = 10.0


class FakeClock:
    """A time that stands still until it is told to go on."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, seconds: float) -> None:
        """Let time pass."""
        self.now += timedelta(seconds=seconds)


class FakeSource:
    """Counts how often it is asked; can fail."""

    def __init__(self) -> None:
        self.asked = 0
        self.failure: Exception | None = None
        self.lets_go = threading.Event()
        self.lets_go.set()

    def __call__(self) -> Snapshot:
        self.asked += 1
        self.lets_go.wait(10)
        if self.failure:
            raise self.failure
        return Snapshot("system", clock.utcnow(), data={"n": self.asked})


@pytest.fixture
def now() -> Iterator[FakeClock]:
    fake = FakeClock()
    with clock.frozen(fake):
        yield fake


@pytest.fixture
def source() -> FakeSource:
    return FakeSource()


@pytest.fixture
def make(redis: None, source: FakeSource) -> Callable[..., Snapshots]:
    """Makes the readings of one web process: several share one Redis."""

    def snapshots(**more: Any) -> Snapshots:
        tiers = Tiers(Memory(), patient_redis())
        return Snapshots(lambda: tiers, collect={"system": source}, **more)

    return snapshots


def test_what_the_scheduler_published_is_served_without_asking(
    make: Callable[..., Snapshots], source: FakeSource, now: FakeClock
) -> None:
    publish_snapshot(Snapshot("system", now(), data={"n": 7}))
    now.forward(9)
    served = make().read("system", TTL_S)
    assert (served.snapshot.data, served.cache, served.meta()["age_s"]) == ({"n": 7}, "hit", 9.0)
    assert source.asked == 0


def test_an_age_never_exceeds_the_ttl_while_the_source_answers(
    make: Callable[..., Snapshots], source: FakeSource, now: FakeClock
) -> None:
    one, other = make(), make()
    publish_snapshot(Snapshot("system", now(), data={"n": 0}))
    for step in range(60):
        now.forward(1.7)
        served = (one, other)[step % 2].read("system", TTL_S)
        assert served.meta()["age_s"] < TTL_S
        assert served.meta()["status"] == "ok"
    assert source.asked == pytest.approx(60 * 1.7 / TTL_S, abs=2)


def test_a_miss_in_one_process_is_a_hit_in_the_next(
    make: Callable[..., Snapshots], source: FakeSource, now: FakeClock
) -> None:
    assert make().read("system", TTL_S).cache == "miss"
    now.forward(6)
    served = make().read("system", TTL_S)
    assert (served.cache, served.meta()["age_s"]) == ("hit", 6.0)
    assert source.asked == 1


def test_many_who_ask_at_once_make_one_reading(make: Callable[..., Snapshots], source: FakeSource) -> None:
    snapshots, others, answers = make(answer_within_s=5), make(answer_within_s=5), []
    source.lets_go.clear()
    threads = [
        threading.Thread(target=lambda s=s: answers.append(s.read("system", TTL_S).snapshot.data))
        for s in [snapshots, others] * 10
    ]
    for thread in threads:
        thread.start()
    threading.Timer(0.1, source.lets_go.set).start()
    for thread in threads:
        thread.join(10)
    assert answers == [{"n": 1}] * 20
    assert source.asked == 1


def test_when_the_source_fails_the_last_good_values_are_served_as_stale(
    make: Callable[..., Snapshots], source: FakeSource, now: FakeClock
) -> None:
    snapshots = make()
    snapshots.read("system", TTL_S)
    read_at = now()
    source.failure = Unavailable("It is off.")
    now.forward(11)
    for _ in range(3):
        served = snapshots.read("system", TTL_S)
        assert served.snapshot.data == {"n": 1}
        assert served.snapshot.collected_at == read_at
        assert served.meta()["status"] == "stale"
        assert served.meta()["error"] == "It is off."
    assert source.asked == 2, "a failing source is not asked by every request"
    source.failure = None
    now.forward(11)
    assert snapshots.read("system", TTL_S).meta()["status"] == "ok"


def test_without_any_value_the_answer_is_an_error_and_null(
    make: Callable[..., Snapshots], source: FakeSource, now: FakeClock
) -> None:
    source.failure = RuntimeError("a fault of ours")
    served = make().read("system", TTL_S)
    assert served.snapshot.data is None
    meta = served.meta()
    assert (meta["status"], meta["age_s"], meta["collected_at"]) == ("error", None, None)
    assert "a fault of ours" not in meta["error"]


def test_a_slow_source_does_not_hold_the_answer_up(
    make: Callable[..., Snapshots], source: FakeSource
) -> None:
    snapshots = make(answer_within_s=0.1)
    source.lets_go.clear()
    served = snapshots.read("system", TTL_S)
    assert (served.cache, served.meta()["status"], served.meta()["error_code"]) == (
        "stale",
        "error",
        "TIMEOUT",
    )
    source.lets_go.set()
    wait_until(lambda: snapshots.read("system", TTL_S).cache == "hit", what="the late reading is kept")
    assert (snapshots.read("system", TTL_S).snapshot.data, source.asked) == ({"n": 1}, 1)


def test_bytes_that_nobody_wrote_count_as_a_miss(make: Callable[..., Snapshots], source: FakeSource) -> None:
    for number, junk in enumerate(
        (b"\x80\x04pickle", _packed("[1,2"), _packed(7), _packed('{"snapshot": 3}'), _packed({"a": 1})), 1
    ):
        get_redis().set(f"{DATA}snapshot:system", junk)
        assert make().read("system", TTL_S).snapshot.data == {"n": number}


def _packed(value: Any) -> bytes:
    return codec.pack(make_entry(value, 60, now=clock.epoch()))


def test_answers_never_go_back_in_time(
    make: Callable[..., Snapshots], source: FakeSource, now: FakeClock
) -> None:
    snapshots = make()
    snapshots.read("system", TTL_S)
    publish_snapshot(Snapshot("system", now() - timedelta(seconds=5), data={"n": "older"}))
    assert snapshots.read("system", TTL_S).snapshot.data == {"n": 1}


def test_a_clock_that_was_set_back_does_not_stop_the_cache(
    make: Callable[..., Snapshots], source: FakeSource, now: FakeClock
) -> None:
    snapshots = make()
    snapshots.read("system", TTL_S)
    now.forward(-3600)
    assert snapshots.read("system", TTL_S).cache == "miss"
    assert snapshots.read("system", TTL_S).cache == "hit"


@pytest.mark.parametrize("fault", ["stopped", "frozen"])
def test_without_redis_memory_answers_within_a_second(
    sqlite: Settings, source: FakeSource, tmp_path: Path, fault: str
) -> None:
    own = RedisServer(tmp_path / "own")
    own.start()
    redis_client.close()
    use_settings(sqlite.model_copy(update={"redis_url": own.url}))
    snapshots = Snapshots(collect={"system": source})
    own.stop() if fault == "stopped" else own.signal(signal.SIGSTOP)
    try:
        started = time.monotonic()
        first = snapshots.read("system", TTL_S)
        assert time.monotonic() - started < 1.0  # the contract's limit, not a benchmark
        assert (first.cache, first.snapshot.data) == ("miss", {"n": 1})
        assert snapshots.read("system", TTL_S).cache == "hit"
    finally:
        if fault == "frozen":
            own.signal(signal.SIGCONT)
        redis_client.close()
        own.remove()
        use_settings(sqlite)
