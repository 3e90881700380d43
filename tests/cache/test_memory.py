"""L1: bounded, last used last to go, and bytes that add up."""

from __future__ import annotations

from tests.support.clocks import ManualClock
from vabhub.cache.entry import make_entry
from vabhub.cache.memory import Memory


def _memory(now: ManualClock, **more: int) -> Memory:
    memory = Memory(now=now, **more)
    for number in range(4):
        memory.put(f"k:{number}", make_entry("x" * 1000, 100, now=now()))
    return memory


def test_the_least_recently_used_goes_first() -> None:
    now = ManualClock()
    memory = _memory(now, entries=4)
    memory.get("k:0")
    memory.put("k:4", make_entry("x", 100, now=now()))
    assert list(memory.slots) == ["k:2", "k:3", "k:0", "k:4"]
    assert memory.evictions == 1


def test_it_is_bounded_by_bytes_too() -> None:
    memory = _memory(ManualClock(), size_bytes=3500)
    assert list(memory.slots) == ["k:2", "k:3"]
    assert not memory.put("k:9", make_entry("x" * 9000, 100, now=memory.now()))
    assert list(memory.slots) == ["k:2", "k:3"]


def test_bytes_add_up_whatever_happened() -> None:
    now = ManualClock()
    memory = _memory(now)
    memory.put("k:1", make_entry("y", 100, now=now()))
    memory.delete(["k:2", "absent"])
    now.forward(100)
    memory.put("k:5", make_entry("z", 100, now=now()))
    assert memory.get("k:3") is None
    assert memory.sweep() == 2
    assert list(memory.slots) == ["k:5"]
    assert memory._bytes == memory.slots["k:5"].size_bytes


def test_nothing_stays_longer_than_its_tier_allows() -> None:
    now = ManualClock()
    memory = Memory(now=now, longest_s=300)
    memory.put("k:1", make_entry(1, 10_000, now=now()))
    now.forward(300)
    assert memory.get("k:1") is None


def test_while_it_cannot_hear_invalidations_it_keeps_for_short() -> None:
    now = ManualClock()
    memory = _memory(now)
    memory.set_deaf(10)
    memory.put("k:9", make_entry(1, 100, now=now()))
    now.forward(10)
    assert [memory.get("k:0"), memory.get("k:9")] == [None, None]
    memory.set_deaf(None)
    memory.put("k:9", make_entry(1, 100, now=now()))
    now.forward(11)
    assert memory.get("k:9") is not None


def test_what_was_invalidated_since_is_not_put_back() -> None:
    now = ManualClock()
    memory = _memory(now)
    generation = memory.generation
    memory.delete_prefix("other")
    assert not memory.put("k:9", make_entry(1, 100, now=now()), generation=generation)


def test_a_clock_that_was_set_back_does_not_stop_it() -> None:
    now = ManualClock()
    memory = _memory(now)
    now.forward(-3600)
    assert memory.put("k:0", make_entry("new", 100, now=now()))
    assert memory.get("k:0").value == "new"  # type: ignore[union-attr]
