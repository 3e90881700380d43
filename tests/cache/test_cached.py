"""The decorator: keys, methods, invalidation, failures, and one build for all who ask."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.support.clocks import ManualClock
from tests.support.tiers import patient_database, patient_redis
from tests.support.waiting import wait_until
from vabhub.cache import Tiers, cached, store, use_store
from vabhub.cache.memory import Memory
from vabhub.errors import Unavailable
from vabhub.redis_client import get_redis
from vabhub.settings import Settings


@pytest.fixture
def now(sqlite: Settings, redis: None) -> Iterator[ManualClock]:
    """The clock of this process's store: all three tiers."""
    clock = ManualClock()
    use_store(Tiers(Memory(now=clock), patient_redis(now=clock), patient_database(now=clock), now=clock))
    yield clock
    use_store(None)


class Counter:
    """Counts its calls and returns a new number each time; can fail, and can be held up."""

    def __init__(self) -> None:
        self.calls = 0
        self.failure: Exception | None = None
        self.lets_go = threading.Event()
        self.lets_go.set()

    def __call__(self) -> int:
        self.calls += 1
        self.lets_go.wait(20)
        if self.failure:
            raise self.failure
        return self.calls


def test_the_documented_form_works_on_a_coroutine_function(now: ManualClock) -> None:
    calls = []

    @cached(ttl=300, key_prefix="user")
    async def get_user(user_id: int) -> dict[str, Any]:
        calls.append(user_id)
        return {"id": user_id}

    async def use() -> list[dict[str, Any]]:
        return [await get_user(7), await get_user(user_id=7), await get_user(8)]

    assert asyncio.run(use()) == [{"id": 7}, {"id": 7}, {"id": 8}]
    assert calls == [7, 8]
    assert inspect.iscoroutinefunction(get_user) or asyncio.iscoroutinefunction(get_user)
    assert get_user.key(7).startswith("user:")


def test_arguments_are_bound_by_signature_and_keep_their_types(now: ManualClock) -> None:
    @cached()
    def show(x: Any, y: Any = 2, *more: Any, flag: bool = False, **named: Any) -> str:
        return repr((x, y, more, flag, named))

    same = {show.key(1), show.key(x=1), show.key(1, 2), show.key(y=2, x=1), show.key(1, flag=False)}
    assert len(same) == 1
    odd = [1, "1", True, 1.0, b"1", None, "None", [1], (1,), {1}, {1: 1}, {"1": 1}, "[1]", frozenset({1})]
    assert len({show.key(value) for value in odd}) == len(odd)
    nested = [(1,), (True,), ("1",), (1.0,), ((1,),), [[1]], [(1,)], {}, set()]
    assert len({show.key(value) for value in nested}) == len(nested)
    assert show((1,)) != show((True,))
    assert show.key(1, 2, 3) != show.key(1, 2, **{"3": 3})
    assert show.key("a,y=2") != show.key("a")


def test_what_has_no_text_of_its_own_needs_help(now: ManualClock) -> None:
    class Slotted:
        __slots__ = ()

    class Named:
        def __cache_key__(self) -> str:
            return "one"

    class Colour(StrEnum):
        RED = "red"

    @cached(key_prefix="p")
    def show(x: Any) -> str:
        return "shown"

    with pytest.raises(TypeError, match=r"'x'.*Slotted.*exclude_params"):
        show(Slotted())
    assert show.key(Named()) == show.key(Named())
    assert show.key(Colour.RED) != show.key("red")
    assert show.key(object) != show.key("object")
    assert show.key(Path("a")) != show.key("a")
    assert show.key(datetime(2026, 1, 1, tzinfo=UTC)) != show.key(datetime(2026, 1, 1))  # noqa: DTZ001


@pytest.mark.parametrize("text", ["x" * 5000, "汉" * 300, "\x00", "\ud800", "a:b c\n", "🎬" * 51])
def test_a_key_may_have_any_length_and_script(now: ManualClock, text: str) -> None:
    source = Counter()

    @cached(key_prefix="user")
    def find(name: str) -> int:
        return source()

    assert (find(text), find(text), find(text + "x")) == (1, 1, 2)
    key = find.key(text)
    assert len(key.encode()) <= 200
    assert key.startswith("user:")
    assert "\x00" not in key


def test_two_functions_never_share_a_key(now: ManualClock) -> None:
    @cached(key_prefix="user")
    def name_of(user_id: int) -> str:
        return f"name {user_id}"

    @cached(key_prefix="user")
    def mail_of(user_id: int) -> str:
        return f"mail {user_id}"

    assert (name_of(1), mail_of(1), name_of(1)) == ("name 1", "mail 1", "name 1")
    store().delete_prefix("user:")
    assert store().get(name_of.key(1)) is None


def test_none_and_falsy_values_are_values(now: ManualClock) -> None:
    calls: list[Any] = []

    @cached()
    def give(value: Any) -> Any:
        calls.append(value)
        return value

    for value in (None, 0, False, "", [], {}):
        assert (give(value), give(value)) == (value, value)
    assert len(calls) == 6


def test_a_method_has_its_object_in_the_key(now: ManualClock) -> None:
    class Shelf:
        def __init__(self, name: str) -> None:
            self.name = name
            self.asked = 0

        @cached(ttl=60, key_prefix="shelf")
        def count(self, kind: str) -> tuple[str, str, int]:
            self.asked += 1
            return self.name, kind, self.asked

        @classmethod
        @cached(key_prefix="shelf")
        def kinds(cls) -> str:
            return cls.__name__

    one, other = Shelf("one"), Shelf("other")
    assert one.count("a") == one.count(kind="a") == ("one", "a", 1)
    assert other.count("a") == ("other", "a", 1)
    one.count.invalidate("a")
    assert one.count("a") == ("one", "a", 2)
    assert (other.count("a"), one.count.refresh("a")) == (("other", "a", 1), ("one", "a", 3))
    assert one.count.lookup("a").cache == "hit"
    assert one.count.key("a") != other.count.key("a")
    assert (Shelf.kinds(), one.kinds()) == ("Shelf", "Shelf")


def test_excluded_arguments_and_own_keys(now: ManualClock) -> None:
    calls = Counter()

    @cached(exclude_params=["session"])
    def load(session: object, row: int) -> int:
        return calls()

    @cached(key_prefix="mine", key_func=lambda row: f"row-{row % 2}")
    def parity(row: int) -> int:
        return calls()

    assert load(object(), 1) == load(object(), 1) == 1
    assert (parity(1), parity(3), parity.key(5)) == (2, 2, "mine:row-1")
    with pytest.raises(TypeError, match="sesion"):
        cached(exclude_params=["sesion"])(lambda session: 1)


@pytest.mark.parametrize("ttl", [0, -1, float("nan"), float("inf"), timedelta(0)])
def test_a_ttl_that_is_not_above_zero_raises(sqlite: Settings, ttl: Any) -> None:
    with pytest.raises(ValueError, match="TTL"):
        cached(ttl=ttl)
    if not isinstance(ttl, timedelta):
        with pytest.raises(ValueError, match="TTL"):
            store().set("a:1", 1, ttl)


def test_invalidate_refresh_and_cache_info(now: ManualClock) -> None:
    source = Counter()

    @cached(ttl=60)
    def number() -> int:
        return source()

    assert (number(), number()) == (1, 1)
    number.invalidate()
    assert number() == 2
    assert (number.refresh(), number()) == (3, 3)
    now.forward(60)
    assert number() == 4
    assert number.cache_info()[:4] == (2, 3, 0, 4)


def test_a_lifted_value_keeps_its_own_end(now: ManualClock) -> None:
    source = Counter()

    @cached(ttl=310, early=0)
    def number() -> int:
        return source()

    number()
    now.forward(309)
    for empty in (lambda: None, lambda: get_redis().flushall()):
        store().database.flush()  # type: ignore[union-attr]
        empty()
        store().memory.delete_prefix("")
        served = number.lookup()
        assert (served.value, served.cache, served.age_s) == (1, "hit", 309)
    now.forward(1)
    assert number() == 2


def test_a_value_that_cannot_be_kept_is_returned_all_the_same(now: ManualClock) -> None:
    @cached(key_prefix="odd")
    def make() -> object:
        return threading.Lock()

    with capture_logs() as logs:
        assert make() is not make()
    said = [line for line in logs if line["event"] == "cache.unserialisable"]
    assert len(said) == 1
    assert said[0]["key"] == make.key()
    assert "lock" in said[0]["error"]


def test_a_build_that_fails_raises_or_serves_the_last_value(now: ManualClock) -> None:
    source = Counter()

    @cached(ttl=10)
    def strict() -> int:
        return source()

    @cached(ttl=10, stale_if_error=30)
    def lenient() -> int:
        return source()

    assert (strict(), lenient()) == (1, 2)
    source.failure = RuntimeError("It is off.")
    now.forward(11)
    with pytest.raises(RuntimeError, match="It is off"):
        strict()
    served = lenient.lookup()
    assert (served.value, served.cache, served.error) == (2, "stale", "RuntimeError: It is off.")
    assert served.meta() == {
        "cache": "stale",
        "age_s": 11.0,
        "ttl_s": 10.0,
        "status": "stale",
        "error": "RuntimeError: It is off.",
    }
    now.forward(29)
    with pytest.raises(RuntimeError, match="It is off"):
        lenient()


def test_callers_at_once_make_one_build(now: ManualClock) -> None:
    source, answers = Counter(), []
    source.lets_go.clear()

    @cached(ttl=60)
    def make() -> list[int]:
        return [source()]

    threads = [threading.Thread(target=lambda: answers.append(make())) for _ in range(20)]
    for thread in threads:
        thread.start()
    wait_until(lambda: source.calls == 1, what="somebody builds")
    source.lets_go.set()
    for thread in threads:
        thread.join(20)
    assert answers == [[1]] * 20
    assert source.calls == 1
    assert len({id(answer) for answer in answers}) == 20, "each has a list of its own"


def test_coroutines_at_once_make_one_build_and_survive_a_cancelled_one(now: ManualClock) -> None:
    calls = []

    @cached(ttl=60)
    async def make() -> int:
        calls.append(1)
        await asyncio.sleep(0 if len(calls) > 1 else 30)
        return len(calls)

    async def use() -> list[int]:
        first = asyncio.create_task(make())
        while not calls:
            await asyncio.sleep(0.001)
        others = [asyncio.create_task(make()) for _ in range(9)]
        await asyncio.sleep(0.01)
        first.cancel()
        return await asyncio.gather(*others)

    assert asyncio.run(use()) == [2] * 9


def test_an_error_reaches_all_who_wait_and_is_not_kept(now: ManualClock) -> None:
    source, errors = Counter(), []
    source.lets_go.clear()
    source.failure = LookupError("gone")

    @cached(ttl=60)
    def make() -> int:
        return source()

    def call() -> None:
        try:
            make()
        except LookupError as error:
            errors.append(error)

    threads = [threading.Thread(target=call) for _ in range(5)]
    for thread in threads:
        thread.start()
    wait_until(lambda: source.calls >= 1, what="somebody builds")
    source.lets_go.set()
    for thread in threads:
        thread.join(20)
    assert len(errors) == 5
    source.failure = None
    assert make() == source.calls


def test_who_waits_too_long_gets_the_last_value_or_an_error(now: ManualClock) -> None:
    source = Counter()

    @cached(ttl=10, stale_if_error=100, wait=0.05)
    def make(x: int) -> int:
        return source()

    make(1)
    now.forward(11)
    source.lets_go.clear()
    threads = [threading.Thread(target=make, args=(x,)) for x in (1, 2)]
    for thread in threads:
        thread.start()
    wait_until(lambda: source.calls == 3, what="both are being built")
    assert make.lookup(1).cache == "stale"
    with pytest.raises(Unavailable, match="not built within"):
        make(2)
    source.lets_go.set()
    for thread in threads:
        thread.join(20)


def test_a_hot_key_is_built_anew_before_its_end_and_nobody_waits(now: ManualClock) -> None:
    source = Counter()

    @cached(ttl=60, early=1e15)  # so early that chance has no say
    def make() -> int:
        return source()

    @cached(ttl=60, early=0)
    def never() -> int:
        return source()

    assert (make(), never()) == (1, 2)
    now.forward(30)
    assert make() == 1
    wait_until(lambda: store().memory.get(make.key()).value > 2, what="it was built anew")  # type: ignore[union-attr]
    now.forward(29)
    assert never() == 2


def test_an_invalidation_during_a_build_wins(now: ManualClock) -> None:
    source = Counter()
    source.lets_go.clear()

    @cached(ttl=400)
    def make() -> int:
        return source()

    builder = threading.Thread(target=make)
    builder.start()
    wait_until(lambda: source.calls == 1, what="it builds")
    make.invalidate()
    source.lets_go.set()
    builder.join(20)
    assert make() == 2


def test_without_redis_and_database_memory_does_it(now: ManualClock) -> None:
    source = Counter()
    use_store(Tiers(Memory(now=now), now=now))

    @cached(ttl=60)
    def make() -> int:
        return source()

    assert (make(), make()) == (1, 1)
    make.invalidate()
    assert make() == 2
