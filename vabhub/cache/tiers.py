"""The three tiers as one store: found in the nearest, lifted from the farther, invalidated in all.

A lifted entry keeps its own end, so it never outlives itself. A tier that is down is left out.
"""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Callable
from typing import Any, NamedTuple

from vabhub.cache import codec
from vabhub.cache.database import DatabaseTier
from vabhub.cache.entry import Entry, make_entry
from vabhub.cache.listener import Listener
from vabhub.cache.memory import Memory
from vabhub.cache.redis_tier import REFUSED, RedisTier, message_of
from vabhub.cache.stats import Stats
from vabhub.clock import epoch

# Without word from the others, what they invalidate is noticed after this time.
DEAF_S = 10.0


class Looked(NamedTuple):
    """What was found, where, and how far the world was then: `put` wants that to be sure of its order."""

    entry: Entry | None = None
    tier: str = ""
    generation: int | None = None
    sequence: int | None = None


class Tiers:
    """Memory, Redis and database as one. Any of the two farther ones may be missing."""

    name = "tiers"

    def __init__(
        self,
        memory: Memory,
        redis: RedisTier | None = None,
        database: DatabaseTier | None = None,
        *,
        now: Callable[[], float] = epoch,
        listens: bool = False,
    ) -> None:
        self.memory = memory
        self.redis = redis
        self.database = database
        self.now = now
        self.hears = False
        self._closed = False
        self.stats = Stats(memory, redis, database)
        self._listener = Listener(self._heard, self._on_state, self._on_tick) if listens and redis else None
        if self._listener:
            memory.set_deaf(DEAF_S)

    def get(self, key: str) -> Entry | None:
        """Return the entry if it is fresh, from the nearest tier that has it."""
        found = self.look(key).entry
        return found if found is not None and found.is_fresh(self.now()) else None

    def look(
        self, key: str, *, lifetime_s: float | None = None, shared: bool = False, to_build: bool = False
    ) -> Looked:
        """Return the freshest entry of all tiers, past its TTL or not, and put it into the nearer ones.

        With `lifetime_s` the database is spared a question about what it does not keep. `to_build`: the value
        is to be built anew whatever is found, so the number of the last invalidation is wanted.
        """
        now, generation = self.now(), self.memory.generation
        best = Looked(self.memory.get(key), self.memory.name, generation)
        if best.entry is not None and best.entry.is_fresh(now) and not to_build:
            return best
        sequence = None
        if self.redis is not None:
            best = _better(best, Looked(self.redis.get(key), self.redis.name, generation))
            if to_build or best.entry is None or not best.entry.is_fresh(now):
                sequence = self.redis.sequence()
        best = best._replace(sequence=sequence)
        if best.entry is None or not best.entry.is_fresh(now):
            best = _better(best, self._look_deep(key, lifetime_s, best))
        if best.entry is not None and best.tier != self.memory.name:
            self._lift(key, best, shared=shared)
        return best

    def put(
        self, key: str, entry: Entry, looked: Looked | None = None, *, shared: bool = False, tell: str = ""
    ) -> bool:
        """Keep the entry in every tier; False: it was invalidated since `looked`, or a newer one is there.

        `tell` says what other processes hear: "" nothing, "renewed" that theirs is old, "entry" the new one.
        Raises Unserialisable, with the key and the type.
        """
        packed = codec.pack(entry, key)
        looked, sequence = looked or Looked(), None
        if self.redis is not None:
            message = self._message(tell, key, packed, shared=shared)
            sequence = self.redis.store(key, entry, packed=packed, since=looked.sequence, tell=message)
            if sequence == REFUSED:
                return False
        kept_here = self._remember(key, entry, packed, looked.generation, shared=shared)
        if kept_here and self.database is not None:
            self.database.put(key, entry, packed=packed, sequence=sequence or 0)
        return kept_here

    def set(self, key: str, value: Any, ttl_s: float, *, stale_s: float = 0.0, shared: bool = False) -> bool:
        """Keep a value that was made just now; every process sees it from now on.

        Raises ValueError for a TTL that is not above 0 and Unserialisable for a value without a safe form.
        """
        entry = make_entry(value, ttl_s, now=self.now(), stale_s=stale_s)
        kept = self.put(key, entry, shared=shared, tell="renewed")
        if kept and self.database is not None and not self.database.takes(ttl_s):
            # A longer-lived value of before would come back from there once this one has ended.
            self.database.supersede(key)
        return kept

    def delete(self, *keys: str) -> int:
        """Invalidate the keys in every tier and every process; return how many were known nearby."""
        if self.database is not None:
            self.database.delete(keys, late=lambda: self._closed or self._delete_near(keys))
        return self._delete_near(keys)

    def delete_prefix(self, prefix: str) -> int:
        """Invalidate every key that begins like this, in every tier and every process."""
        self.stats.invalidated(prefix)
        if self.database is not None:
            self.database.delete_prefix(prefix, late=lambda: self._closed or self._delete_prefix_near(prefix))
        return self._delete_prefix_near(prefix)

    def forget(self, prefix: str) -> None:
        """Drop what memory alone holds under a prefix, here at once and in every process that hears it."""
        self.memory.delete_prefix(prefix)
        if self.redis is not None:
            self.redis.tell("prefix", prefix)

    def clear(self) -> int:
        """Invalidate everything."""
        return self.delete_prefix("")

    def start(self) -> None:
        """Begin to hear the other processes; called by the first use."""
        if self._listener is not None:
            self._listener.start()

    def close(self) -> None:
        """Write what waits, and stop hearing."""
        self._closed = True
        if self._listener is not None:
            self._listener.close()
        if self.database is not None:
            self.database.close()

    def _look_deep(self, key: str, lifetime_s: float | None, best: Looked) -> Looked:
        if self.database is None or (lifetime_s is not None and not self.database.takes(lifetime_s)):
            return Looked()
        entry, sequence = self.database.find(key)
        # Its writer may have stored it after it was invalidated: rows are written a little later.
        if entry is not None and self.redis is not None and sequence < self.redis.last_mark(key):
            return Looked()
        return best._replace(entry=entry, tier=self.database.name)

    def _lift(self, key: str, found: Looked, *, shared: bool) -> None:
        assert found.entry is not None
        packed = codec.pack(found.entry, key)
        lift = self.redis if found.tier == "database" else None
        if lift and lift.store(key, found.entry, packed=packed, since=found.sequence) == REFUSED:
            return
        self._remember(key, found.entry, packed, found.generation, shared=shared)

    def _remember(
        self, key: str, entry: Entry, packed: bytes, generation: int | None, *, shared: bool
    ) -> bool:
        self.start()
        return self.memory.put(key, entry, packed=packed, shared=shared, generation=generation)

    def _delete_near(self, keys: tuple[str, ...]) -> int:
        far = self.redis.delete(keys) if self.redis is not None else 0
        return max(far, self.memory.delete(keys))

    def _delete_prefix_near(self, prefix: str) -> int:
        far = self.redis.delete_prefix(prefix) if self.redis is not None else 0
        return max(far, self.memory.delete_prefix(prefix))

    def _message(self, tell: str, key: str, packed: bytes, *, shared: bool) -> bytes:
        assert self.redis is not None
        if not tell:
            return b""
        what = [key] if tell == "renewed" else [key, packed, shared]
        return message_of(self.redis.origin, tell, what)

    def _heard(self, origin: bytes, kind: str, what: Any) -> None:
        if self.redis is None or origin == self.redis.origin:
            return
        if kind in ("keys", "renewed"):
            self.memory.delete(what)
        elif kind == "prefix":
            self.memory.delete_prefix(what)
        if kind != "entry" and self.database is not None:
            is_prefix = kind == "prefix"
            self.database.forget(() if is_prefix else what, prefix=what if is_prefix else None)
        if kind == "entry":
            key, packed, shared = what
            self.memory.put(key, codec.unpack(packed), packed=packed, shared=shared)

    def _on_state(self, hears: bool) -> None:
        if hears:
            self.memory.set_deaf(None)
            # What was said before is lost, so nothing that is here can be trusted.
            self.memory.delete_prefix("")
            self.hears = True
        else:
            self.hears = False
            self.memory.set_deaf(DEAF_S)

    def _on_tick(self) -> None:
        self.memory.sweep()
        self.stats.flush()


def _better(one: Looked, other: Looked) -> Looked:
    if other.entry is None:
        return one
    if one.entry is None or other.entry.expires_at > one.entry.expires_at:
        return other._replace(sequence=one.sequence)
    return one


_current: Tiers | None = None
_making = threading.Lock()


def store() -> Tiers:
    """Return this process's store, making it on the first call."""
    return _current or _make()


def use_store(tiers: Tiers | None) -> None:
    """Replace this process's store; None makes a new one at the next call."""
    global _current
    before, _current = _current, tiers
    if before is not None:
        before.close()


def _make() -> Tiers:
    global _current
    from vabhub.settings import get_settings

    with _making:
        if _current is None:
            chosen = get_settings()
            memory = Memory(
                entries=chosen.cache_entries,
                size_bytes=chosen.cache_mb * 2**20,
                longest_s=chosen.cache_memory_s,
            )
            redis = RedisTier(longest_s=chosen.cache_redis_s)
            database = DatabaseTier(longest_s=chosen.cache_database_s)
            _current = Tiers(memory, redis, database, listens=True)
        return _current


def _after_fork() -> None:
    # Threads do not come along, and the connections are the parent's.
    global _current
    _current = None


atexit.register(use_store, None)
os.register_at_fork(after_in_child=_after_fork)
