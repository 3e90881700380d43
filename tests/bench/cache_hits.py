"""Hits of each tier beside other caches, with the same function and the same values, in one process."""

from __future__ import annotations

import asyncio
import functools
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import msgpack
import redis
from cachetools import TTLCache
from cachetools import cached as cachetools_cached
from cashews import Cache as Cashews
from dogpile.cache import make_region
from flask import Flask
from flask_caching import Cache

from tests.bench.figures import Report, ratios, rounds
from vabhub.cache import cached, store
from vabhub.cache.codec import pack_value
from vabhub.redis_client import get_redis
from vabhub.settings import get_settings

VALUE = {
    "cpu_usage": 12.5,
    "per_core": [1.0, 2.0, 3.0, 4.0],
    "disks": [{"mount": f"/mnt/{n}", "total": 10**12, "used": 10**11} for n in range(4)],
}
Step = Callable[[], None]


class Measured:
    """Microseconds a call, by contender and round."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.us: dict[str, list[float]] = {}
        # One for all rounds: a client's connections belong to the loop they were made in.
        self._loop = asyncio.new_event_loop()

    def of(self, name: str, call: Callable[[], object]) -> Step:
        """Return a step that times `call`."""

        def step() -> None:
            call()
            began = time.perf_counter()
            for _ in range(self.number):
                call()
            self.us.setdefault(name, []).append((time.perf_counter() - began) / self.number * 1e6)

        return step

    def of_async(self, name: str, call: Callable[[], Any]) -> Step:
        """Return a step that times a coroutine function within one loop."""

        async def many() -> None:
            await call()
            began = time.perf_counter()
            for _ in range(self.number):
                await call()
            self.us.setdefault(name, []).append((time.perf_counter() - began) / self.number * 1e6)

        return lambda: self._loop.run_until_complete(many())

    def report(self, report: Report, mine: str, **targets: dict[str, float]) -> None:
        """Add every contender's time, and mine in proportion to each other's."""
        for name, values in self.us.items():
            report.add(name, "us", values)
        for name, values in self.us.items():
            if name != mine:
                target = targets.get(name.replace(" ", "_").replace(".", "_"), {"at_most": 1.0})
                report.add(f"{mine} / {name}", "x", ratios(self.us[mine], values), **target)


def memory(report: Report, turns: int, number: int) -> None:
    """Measure a hit in memory: a value nobody can change, then a dictionary."""
    measured = Measured(number)
    ours = cached(ttl=300, key_prefix="bench")(lambda x: "value")
    theirs = cachetools_cached(TTLCache(1000, 300))(lambda x: "value")
    in_memory = Cashews()
    in_memory.setup("mem://")
    awaited = in_memory(ttl="5m")(_awaited)
    lru = functools.lru_cache(1000)(lambda x: "value")
    region = make_region().configure("dogpile.cache.memory", expiration_time=300)
    dogpile = region.cache_on_arguments()(_value)
    simple = _flask("SimpleCache").memoize(300)(lambda x: "value")
    steps = [
        measured.of("L1: @cached", lambda: ours(1)),
        measured.of("cachetools.TTLCache", lambda: theirs(1)),
        measured.of("functools.lru_cache", lambda: lru(1)),
        measured.of("dogpile memory", lambda: dogpile(1)),
        measured.of("Flask-Caching SimpleCache", lambda: simple(1)),
        measured.of_async("cashews memory", lambda: awaited(1)),
    ]
    rounds(turns, *steps)
    targets = {"cachetools_TTLCache": {"at_most": 2.0}, "functools_lru_cache": {}}
    measured.report(report, "L1: @cached", **targets)
    own, shared = Measured(number), cached(ttl=300, key_prefix="bench", shared=True)(lambda x: VALUE)
    each = cached(ttl=300, key_prefix="bench-own")(lambda x: VALUE)
    rounds(
        turns,
        own.of("L1, a dictionary: one for all (shared)", lambda: shared(1)),
        own.of("L1, a dictionary: one for each caller", lambda: each(1)),
    )
    for name, values in own.us.items():
        report.add(name, "us", values)


def over_redis(report: Report, turns: int, number: int) -> None:
    """Measure a hit in Redis, memory left out, beside a bare GET with the same decoding."""
    measured, client, tiers = Measured(number), get_redis(), store()
    tiers.set("bench:l2", VALUE, 3000)
    client.set("bench:bare", pack_value(VALUE))
    region = make_region().configure(
        "dogpile.cache.redis", expiration_time=300, arguments={"url": get_settings().redis_url}
    )
    dogpile = region.cache_on_arguments()(lambda x: VALUE)
    flask = _flask("RedisCache", CACHE_REDIS_URL=get_settings().redis_url).memoize(300)(lambda x: VALUE)
    cashews = Cashews()
    cashews.setup(get_settings().redis_url, client_side=False)
    awaited = cashews(ttl="5m")(_awaited)
    assert tiers.redis is not None
    tier = tiers.redis
    steps = [
        measured.of("L2: our Redis tier", lambda: tier.get("bench:l2")),
        measured.of("redis.get + decode", lambda: _unpacked(client)),
        measured.of("dogpile redis", lambda: dogpile(1)),
        measured.of("Flask-Caching RedisCache", lambda: flask(1)),
        measured.of_async("cashews redis", lambda: awaited(1)),
    ]
    rounds(turns, *steps)
    measured.report(report, "L2: our Redis tier", **{"redis_get_+_decode": {"at_most": 1.3}})


def footprint(report: Report, number: int = 10_000) -> None:
    """Measure what 10,000 dictionaries take up, as objects and in L1."""
    with _traced() as raw:
        objects = [dict(VALUE, n=n, disks=[dict(disk) for disk in VALUE["disks"]]) for n in range(number)]  # type: ignore[attr-defined]
    tiers = store()
    tiers.memory.delete_prefix("")
    with _traced() as ours:
        for n, value in enumerate(objects):
            tiers.memory.put(f"mem:{n}", _entry(value))
    told = sum(one.size_bytes for one in tiers.memory.usage().values())
    report.add("10,000 dictionaries as objects", "MiB", [raw[0] / 2**20])
    report.add("10,000 dictionaries in L1", "MiB", [ours[0] / 2**20])
    report.add("what L1 believes they take up", "MiB", [told / 2**20])
    tiers.memory.delete_prefix("")


def _entry(value: Any) -> Any:
    from vabhub.cache.entry import make_entry

    return make_entry(value, 300, now=store().now())


@contextmanager
def _traced() -> Iterator[list[int]]:
    grown = [0]
    tracemalloc.start()
    yield grown
    grown[0] = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()


def _flask(kind: str, **more: Any) -> Cache:
    app = Flask(kind)
    made = Cache(
        app, config={"CACHE_TYPE": kind, "CACHE_DEFAULT_TIMEOUT": 300, **more}, with_jinja2_ext=False
    )
    app.app_context().push()
    return made


def _value(x: int) -> str:
    return "value"


async def _awaited(x: int) -> Any:
    return VALUE


def _unpacked(client: redis.Redis) -> Any:
    return msgpack.unpackb(client.get("bench:bare"), strict_map_key=False)
