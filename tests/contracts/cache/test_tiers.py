"""What every tier promises, alone and all together."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from tests.support.clocks import ManualClock
from tests.support.tiers import patient_database, patient_redis
from vabhub.cache.codec import Unserialisable
from vabhub.cache.entry import make_entry
from vabhub.cache.memory import Memory
from vabhub.cache.tiers import Tiers

VALUES: tuple[Any, ...] = (
    None,
    0,
    False,
    "",
    b"\x00\xff",
    1.5,
    float("inf"),
    2**80,
    -(2**80),
    "中文 \U0001f600",
    [1, "1", True, None],
    (1, (2, 3)),
    {"a": {"b": [1, 2]}, 1: "one", (1, 2): "pair", None: 0},
    {1, 2},
    frozenset({"x"}),
    datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC),
    date(2026, 1, 2),
    timedelta(days=-1, microseconds=3),
    Decimal("1.10"),
    UUID(int=7),
)


class Subject:
    """One tier, or all of them, with the same few words."""

    def __init__(self, tier: Any, clock: ManualClock, settle: Callable[[], object]) -> None:
        self.tier = tier
        self.clock = clock
        self.settle = settle

    def put(self, key: str, value: Any, ttl_s: float = 1000, stale_s: float = 0) -> bool:
        """Keep a value made now."""
        kept: bool = self.tier.put(key, make_entry(value, ttl_s, now=self.clock(), stale_s=stale_s))
        self.settle()
        return kept

    def get(self, key: str) -> Any:
        """Return the value, or "absent"."""
        entry = self.tier.get(key)
        return "absent" if entry is None else entry.value


def _memory(clock: ManualClock) -> Subject:
    return Subject(Memory(now=clock, longest_s=86_400), clock, lambda: None)


def _redis(clock: ManualClock) -> Subject:
    return Subject(patient_redis(now=clock, longest_s=86_400), clock, lambda: None)


def _database(clock: ManualClock) -> Subject:
    tier = patient_database(now=clock, least_s=0)
    return Subject(tier, clock, tier.flush)


def _all(clock: ManualClock) -> Subject:
    database = patient_database(now=clock, least_s=0)
    tiers = Tiers(Memory(now=clock), patient_redis(now=clock), database, now=clock)
    return Subject(tiers, clock, database.flush)


MAKERS = {"memory": _memory, "redis": _redis, "database": _database, "all": _all}


@pytest.fixture(
    params=[
        *((name, "sqlite") for name in MAKERS),
        *(pytest.param((name, "postgresql"), marks=pytest.mark.postgresql) for name in ("database", "all")),
    ],
    ids="-".join,
)
def subject(request: pytest.FixtureRequest) -> Iterator[Subject]:
    for name in (request.param[1], "redis"):
        request.getfixturevalue(name)
    made = MAKERS[request.param[0]](ManualClock())
    yield made
    if hasattr(made.tier, "close"):
        made.tier.close()


def test_every_value_comes_back_as_what_it_was(subject: Subject) -> None:
    for number, value in enumerate(VALUES):
        assert subject.tier.put(f"value:{number}", make_entry(value, 1000, now=subject.clock())), value
    subject.settle()
    for number, value in enumerate(VALUES):
        found = subject.get(f"value:{number}")
        assert (found, type(found)) == (value, type(value))


def test_nobody_holds_the_object_that_is_kept(subject: Subject) -> None:
    mine = {"list": [1]}
    subject.put("value:mine", mine)
    mine["list"].append(2)
    first = subject.get("value:mine")
    first["list"].append(3)
    assert subject.get("value:mine") == {"list": [1]}


def test_an_entry_ends_with_its_ttl(subject: Subject) -> None:
    subject.put("value:1", "here", ttl_s=400)
    subject.clock.forward(399)
    assert subject.get("value:1") == "here"
    subject.clock.forward(1)
    assert subject.get("value:1") == "absent"


def test_deleting_forgets_only_what_it_names(subject: Subject) -> None:
    for key in ("value:1", "value:2", "other:1"):
        subject.put(key, key)
    subject.tier.delete(["value:1"]) if not isinstance(subject.tier, Tiers) else subject.tier.delete(
        "value:1"
    )
    assert [subject.get(key) for key in ("value:1", "value:2", "other:1")] == ["absent", "value:2", "other:1"]


def test_a_prefix_is_text_and_no_pattern(subject: Subject) -> None:
    keys = ("a*b:1", "a%b:1", "a_b:1", "axb:1", "a[b]:1", "A*b:1")
    for key in keys:
        subject.put(key, key)
    for prefix in ("a*", "a%", "a_", "a["):
        subject.tier.delete_prefix(prefix)
    assert [subject.get(key) for key in keys] == ["absent", "absent", "absent", "axb:1", "absent", "A*b:1"]


def test_an_older_value_never_takes_the_place_of_a_newer_one(subject: Subject) -> None:
    older = make_entry("older", 1000, now=subject.clock())
    subject.clock.forward(5)
    subject.put("value:1", "newer")
    subject.tier.put("value:1", older)
    subject.settle()
    assert subject.get("value:1") == "newer"


def test_what_cannot_be_kept_is_refused_by_key_and_type(subject: Subject) -> None:
    class Odd:
        pass

    with pytest.raises(Unserialisable, match=r"value:odd.*Odd"):
        subject.put("value:odd", [Odd()])
    assert subject.get("value:odd") == "absent"


def test_usage_counts_by_prefix(subject: Subject) -> None:
    for key in ("one:1", "one:2", "two:1"):
        subject.put(key, "x" * 100)
    usage = subject.tier.usage() if not isinstance(subject.tier, Tiers) else subject.tier.memory.usage()
    assert {prefix: one.entries for prefix, one in usage.items()} == {"one": 2, "two": 1}
    assert usage["one"].size_bytes > 200


def test_many_threads_leave_it_whole(subject: Subject) -> None:
    def work(number: int) -> None:
        for turn in range(20):
            key = f"value:{(number + turn) % 5}"
            subject.tier.put(key, make_entry([number, turn], 1000, now=subject.clock()))
            found = subject.tier.get(key)
            assert found is None or len(found.value) == 2
            if turn % 7 == 0:
                subject.tier.delete_prefix("value:1")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
