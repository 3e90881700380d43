"""Two processes against a dictionary: whatever is done in whatever order, the cache never lies."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, settings, strategies
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.support.clocks import ManualClock
from tests.support.tiers import patient_database, patient_redis
from vabhub.cache.entry import make_entry
from vabhub.cache.memory import Memory
from vabhub.cache.redis_tier import CHANNEL, DATA, read_message
from vabhub.cache.tiers import Tiers
from vabhub.db import transaction
from vabhub.models import CacheRow
from vabhub.redis_client import get_redis
from vabhub.settings import Settings

KEYS = strategies.sampled_from(["a:1", "a:2", "b:1", "ab:1"])
WHO = strategies.integers(0, 1)
TTLS = strategies.sampled_from([1.0, 10.0, 299.0, 301.0, 4000.0, 90_000.0])
VALUES = strategies.one_of(
    strategies.none(), strategies.integers(), strategies.lists(strategies.text(), max_size=2)
)


class CacheMachine(RuleBasedStateMachine):
    """Messages are read after each step, so that a test need not wait for them."""

    @initialize()
    def begin(self) -> None:
        get_redis().flushall()
        with transaction() as session:
            session.query(CacheRow).delete()
        self.clock = ManualClock()
        self.model: dict[str, tuple[Any, float]] = {}
        self.messages = get_redis().pubsub(ignore_subscribe_messages=True)
        self.messages.subscribe(CHANNEL)
        self.processes = [self._process() for _ in range(2)]

    def _process(self) -> Tiers:
        return Tiers(
            Memory(now=self.clock, entries=3),
            patient_redis(now=self.clock),
            patient_database(now=self.clock),
            now=self.clock,
        )

    @rule(who=WHO, key=KEYS, value=VALUES, ttl_s=TTLS)
    def set(self, who: int, key: str, value: Any, ttl_s: float) -> None:
        self.clock.forward(0.001)
        assert self.processes[who].set(key, value, ttl_s)
        self.model[key] = (value, self.clock() + ttl_s)

    @rule(who=WHO, key=KEYS)
    def delete(self, who: int, key: str) -> None:
        self.processes[who].delete(key)
        self.model.pop(key, None)

    @rule(who=WHO, prefix=strategies.sampled_from(["a", "a:", "b:1", ""]))
    def delete_prefix(self, who: int, prefix: str) -> None:
        self.processes[who].delete_prefix(prefix)
        self.model = {key: kept for key, kept in self.model.items() if not key.startswith(prefix)}

    @rule(who=WHO, key=KEYS)
    def build_that_an_invalidation_overtakes(self, who: int, key: str) -> None:
        looked = self.processes[who].look(key, to_build=True)
        self.clock.forward(0.001)
        late = make_entry("late", 5000, now=self.clock())
        self.processes[1 - who].delete(key)
        self.model.pop(key, None)
        self._hear()
        self.processes[who].put(key, late, looked)

    @rule(seconds=strategies.sampled_from([0.5, 9.0, 290.0, 3000.0, 40_000.0]))
    def time_passes(self, seconds: float) -> None:
        self.clock.forward(seconds)

    @rule()
    def redis_is_wiped(self) -> None:
        get_redis().delete(*(get_redis().keys(f"{DATA}*") or ["nothing"]))

    @rule(who=WHO)
    def process_starts_anew(self, who: int) -> None:
        self.processes[who].close()
        self.processes[who] = self._process()

    @rule(who=WHO)
    def is_swept(self, who: int) -> None:
        database = self.processes[who].database
        assert database is not None
        database.flush()
        database.sweep()
        self.processes[who].memory.sweep()

    @precondition(lambda self: self.processes)
    @invariant()
    def serves_the_truth_or_nothing(self) -> None:
        self._hear()
        for key in ("a:1", "a:2", "b:1", "ab:1"):
            value, until = self.model.get(key, (None, 0.0))
            for process in self.processes:
                found = process.get(key)
                if found is not None:
                    assert self.clock() < until, f"{key} outlived itself"
                    assert (found.value, found.expires_at) == (value, pytest.approx(until))

    @invariant()
    def keeps_what_fits(self) -> None:
        for process in getattr(self, "processes", ()):
            assert len(process.memory.slots) <= 3

    def teardown(self) -> None:
        for process in getattr(self, "processes", ()):
            process.close()
        if hasattr(self, "messages"):
            self.messages.close()

    def _hear(self) -> None:
        get_redis().publish(CHANNEL, b"that was all")
        while True:
            message = self.messages.get_message(timeout=10)
            if message is None:
                continue
            if message["data"] == b"that was all":
                return
            for process in self.processes:
                process._heard(*read_message(message["data"]))


def test_the_cache_never_lies(sqlite: Settings, redis: None) -> None:
    from hypothesis.stateful import run_state_machine_as_test

    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        CacheMachine,
        settings=settings(
            max_examples=25, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
