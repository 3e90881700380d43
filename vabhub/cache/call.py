"""What cached functions of both kinds have in common: their keys, invalidation, counters, and methods."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Generic, NamedTuple, ParamSpec, TypeVar, cast

from vabhub.cache.build import Builder
from vabhub.cache.memory import Slot
from vabhub.cache.tiers import Tiers, store

P = ParamSpec("P")
R = TypeVar("R")
V = TypeVar("V")

# Arguments of these types are equal only when their keys are, so the key of a call can be remembered.
_SIMPLE = frozenset({str, int, bool, bytes, type(None)})
_MOST_REMEMBERED = 4096


class CacheInfo(NamedTuple):
    """What one function's cache did in this process."""

    hits: int
    misses: int
    stale: int
    builds: int
    failures: int


class CachedCall(Generic[P]):
    """A function, its keys and its rules."""

    def __init__(self, function: Callable[..., Any], write: Callable[..., str], builder: Builder) -> None:
        functools.update_wrapper(cast(Any, self), function)
        self._function = function
        self._write = write
        self._builder = builder
        self._counts = builder.counts
        self._keys: dict[Any, str] = {}
        self._registered: Tiers | None = None

    def key(self, *args: P.args, **kwargs: P.kwargs) -> str:
        """Return the key of a call."""
        return self._write(args, kwargs)

    def invalidate(self, *args: P.args, **kwargs: P.kwargs) -> None:
        """Forget the call's value in every tier and every process."""
        self._counts.invalidations += 1
        self._tiers().delete(self._write(args, kwargs))

    def cache_info(self) -> CacheInfo:
        """Return this process's counters."""
        one = self._counts
        hits = one.memory_hits + one.redis_hits + one.database_hits + one.waits
        return CacheInfo(hits, one.misses, one.stale, one.builds, one.failures)

    def _key_of(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
        if kwargs or not _SIMPLE.issuperset(map(type, args)):
            return self._write(args, kwargs)
        call = (args, tuple(map(type, args)))
        key = self._keys.get(call)
        if key is None:
            if len(self._keys) >= _MOST_REMEMBERED:
                self._keys.clear()
            key = self._keys[call] = self._write(args, kwargs)
        return key

    def _tiers(self) -> Tiers:
        tiers = store()
        if tiers is not self._registered:
            tiers.stats.register(self._counts)
            self._registered = tiers
        return tiers

    def _near(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Slot | None:
        """Return the call's slot in memory, unless somebody has to think of building it anew.

        All that a hit pays for is in here, in one piece: each call of a function would cost as much again.
        """
        tiers = store()
        if kwargs or tiers is not self._registered:
            return None
        try:
            # Only simple arguments have a key in there, and those of other types are never equal to them.
            key = self._keys[args, tuple(map(type, args))]
            memory = tiers.memory
            slot = memory.slots[key]
            if memory.now() >= slot.early_at:
                return None
            memory.slots.move_to_end(key)
        except (KeyError, TypeError):  # not known, just evicted, or arguments without a hash
            return None
        self._counts.memory_hits += 1
        return slot


class Bound(Generic[P, R, V]):
    """A cached method of one object. R is what a call returns, V what `lookup` does."""

    __slots__ = ("_call", "_instance")

    def __init__(self, call: Any, instance: Any) -> None:
        self._call = call
        self._instance = instance

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Return the cached value, or call the method."""
        result: R = self._call(self._instance, *args, **kwargs)
        return result

    def lookup(self, *args: P.args, **kwargs: P.kwargs) -> V:
        """Return the value with what `meta` says of it."""
        result: V = self._call.lookup(self._instance, *args, **kwargs)
        return result

    def refresh(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the method now and keep its value for every process."""
        result: R = self._call.refresh(self._instance, *args, **kwargs)
        return result

    def invalidate(self, *args: P.args, **kwargs: P.kwargs) -> None:
        """Forget the call's value in every tier and every process."""
        self._call.invalidate(self._instance, *args, **kwargs)

    def key(self, *args: P.args, **kwargs: P.kwargs) -> str:
        """Return the key of a call."""
        return str(self._call.key(self._instance, *args, **kwargs))

    def cache_info(self) -> CacheInfo:
        """Return this process's counters, of all objects together."""
        info: CacheInfo = self._call.cache_info()
        return info
