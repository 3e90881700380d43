"""How a value comes about: found in a tier, or built once, however many ask and in however many processes.

A hot key is built anew a little before its end by one of its callers, by chance. A build that fails serves
the last value within a bound, and says so.
Source of the chance: XFetch, Vattani et al., "Optimal Probabilistic Cache Stampede Prevention", VLDB 2015.
"""

from __future__ import annotations

import math
import random
import time
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from vabhub.cache import codec
from vabhub.cache.counts import Counts
from vabhub.cache.entry import Entry, make_entry
from vabhub.cache.flights import Abandoned, Flights
from vabhub.cache.tiers import Looked, Tiers
from vabhub.errors import Unavailable
from vabhub.log import get_logger

log = get_logger(__name__)

LOCK_S = 30.0
WAIT_S = 10.0
_LATE = "The value is still being built."
_ASK_AGAIN_S = 0.02
# One key's value that cannot be kept is said once an hour, not at every call.
_SAY_AGAIN_S = 3600.0


@dataclass(frozen=True, slots=True)
class Served:
    """A value and how it was come by."""

    value: Any
    cache: Literal["hit", "miss", "stale"]
    age_s: float
    ttl_s: float
    tier: str = ""
    error: str | None = None

    def meta(self) -> dict[str, Any]:
        """Return the contract's `meta`."""
        meta: dict[str, Any] = {"cache": self.cache, "age_s": round(self.age_s, 3), "ttl_s": self.ttl_s}
        meta["status"] = "ok" if self.cache != "stale" else "stale"
        return meta if self.error is None else {**meta, "error": self.error}


class Plan(NamedTuple):
    """What a build begins with: what was found before, and the lock on it in Redis."""

    key: str
    looked: Looked
    token: str | None
    began: float


@dataclass(frozen=True, slots=True)
class Landed:
    """What those who waited get: each reads a value of its own."""

    served: Served
    packed: bytes | None = None

    def read(self) -> Served:
        """Return what was built, with an object that no other caller holds when it can be changed."""
        if self.packed is None:
            return self.served
        one = self.served
        return Served(codec.unpack_value(self.packed), one.cache, one.age_s, one.ttl_s, one.tier, one.error)


class Builder:
    """The rules of one function's values. `stale_s` is how far past its TTL a value may be served."""

    def __init__(
        self, counts: Counts, *, ttl_s: float, stale_s: float, wait_s: float, early: float, shared: bool
    ) -> None:
        self.counts = counts
        self.flights: Flights[Landed] = Flights()
        self.wait_s = wait_s
        self.shared = shared
        self._ttl_s = ttl_s
        self._stale_s = stale_s
        self._early = early
        self._said: dict[str, float] = {}

    def near(self, tiers: Tiers, key: str) -> Served | None:
        """Return what is fresh in this process's memory."""
        entry, now = tiers.memory.get(key), tiers.now()
        if entry is None or not entry.is_fresh(now):
            return None
        self.counts.hit("memory")
        return self._served(entry, now, "hit", "memory")

    def find(self, tiers: Tiers, key: str) -> Served | Looked:
        """Return what is fresh in any tier, or else what was found and is not."""
        looked = tiers.look(key, lifetime_s=self._ttl_s, shared=self.shared)
        entry, now = looked.entry, tiers.now()
        if entry is None or not entry.is_fresh(now):
            return looked
        self.counts.hit(looked.tier)
        return self._served(entry, now, "hit", looked.tier)

    def prepare(self, tiers: Tiers, key: str) -> Plan | Served:
        """Find the value, or get ready to build it: take the lock in Redis, or wait for who has it."""
        deadline = time.monotonic() + self.wait_s
        found = self.find(tiers, key)
        while not isinstance(found, Served):
            token = self._lock(tiers, key)
            # It may have been built just before we got the lock.
            found = self.find(tiers, key)
            late = time.monotonic() > deadline
            if isinstance(found, Served):
                self._unlock(tiers, key, token)
            elif token != "" or late:
                return self._plan(tiers, key, found, token, late=late and token == "")
            else:
                time.sleep(_ASK_AGAIN_S)
        return found

    def begin(self, tiers: Tiers, key: str) -> Plan:
        """Get ready to build whatever is there."""
        looked = tiers.look(key, lifetime_s=self._ttl_s, shared=self.shared, to_build=True)
        return Plan(key, looked, None, time.perf_counter())

    def may_be_early(self, tiers: Tiers, key: str) -> bool:
        """Return whether this caller is the one to build the value anew before its end."""
        slot = tiers.memory.slots.get(key)
        if slot is None or self._early <= 0 or tiers.now() < slot.early_at:
            return False
        ahead_s = slot.entry.build_s * -math.log(1.0 - random.random())  # noqa: S311
        return tiers.now() + ahead_s >= slot.entry.expires_at

    def begin_early(self, tiers: Tiers, key: str) -> Plan | None:
        """Get ready to build the value anew while the old one is served, if nobody else does."""
        if not self.may_be_early(tiers, key) or not self.flights.board(key)[1]:
            return None
        token = self._lock(tiers, key)
        if token == "":
            self.flights.fail(key, Abandoned())
            return None
        self.counts.early += 1
        return self.begin(tiers, key)._replace(token=token)

    def wait(self, tiers: Tiers, key: str, flight: Future[Landed]) -> Served:
        """Return what another caller builds, or the last value when that takes too long."""
        try:
            flight.exception(self.wait_s)
        except TimeoutError:
            return self.landed(tiers, key, None)
        return self.landed(tiers, key, flight)

    def landed(self, tiers: Tiers, key: str, flight: Future[Landed] | None) -> Served:
        """Return what was built, to one who waited; None: it was not built in time."""
        if flight is not None:
            served = flight.result(0).read()
            self.counts.waits += 1
            return served
        late = self._stale(tiers, Looked(tiers.memory.get(key), "memory"), _LATE)
        if late is None:
            raise Unavailable(f"The cached value {key!r} was not built within {self.wait_s:g} s.")
        return late

    def finish(self, tiers: Tiers, plan: Plan, value: Any, *, renewed: bool = False) -> Landed:
        """Keep what was built and give the lock back."""
        build_s = time.perf_counter() - plan.began
        self.counts.built(build_s)
        entry = make_entry(
            value, self._ttl_s, now=tiers.now(), stale_s=self._stale_s, build_s=build_s * self._early
        )
        served = Served(value, "miss", 0.0, self._ttl_s)
        try:
            tiers.put(plan.key, entry, plan.looked, shared=self.shared, tell="renewed" if renewed else "")
        except codec.Unserialisable as error:
            self._say(plan.key, error)
            return Landed(served)
        finally:
            self._unlock(tiers, plan.key, plan.token)
        own = self.shared or codec.is_frozen(value)
        return Landed(served, None if own else codec.pack_value(value, plan.key))

    def fail(self, tiers: Tiers, plan: Plan, error: Exception) -> Served:
        """Give the lock back and serve the last value, or raise the error again."""
        self.counts.failures += 1
        self._unlock(tiers, plan.key, plan.token)
        stale = self._stale(tiers, plan.looked, f"{type(error).__name__}: {error}"[:300])
        if stale is None:
            raise error
        log.warning("cache.served_stale", key=plan.key, error=stale.error)
        return stale

    def abandon(self, tiers: Tiers, plan: Plan) -> None:
        """Give the lock back: nothing was built."""
        self._unlock(tiers, plan.key, plan.token)

    def _plan(
        self, tiers: Tiers, key: str, looked: Looked, token: str | None, *, late: bool
    ) -> Plan | Served:
        self.counts.misses += 1
        stale = self._stale(tiers, looked, _LATE) if late else None
        return stale or Plan(key, looked, token or None, time.perf_counter())

    def _stale(self, tiers: Tiers, looked: Looked, error: str) -> Served | None:
        entry, now = looked.entry, tiers.now()
        if entry is None or not entry.is_kept(now):
            return None
        self.counts.stale += 1
        served = self._served(entry, now, "stale", looked.tier)
        return Served(served.value, "stale", served.age_s, served.ttl_s, served.tier, error)

    def _served(self, entry: Entry, now: float, cache: Literal["hit", "stale"], tier: str) -> Served:
        ttl_s = entry.expires_at - entry.built_at
        return Served(entry.value, cache, max(0.0, now - entry.built_at), ttl_s, tier)

    def _lock(self, tiers: Tiers, key: str) -> str | None:
        return tiers.redis.lock(key, LOCK_S) if tiers.redis is not None else None

    def _unlock(self, tiers: Tiers, key: str, token: str | None) -> None:
        if token and tiers.redis is not None:
            tiers.redis.unlock(key, token)

    def _say(self, key: str, error: codec.Unserialisable) -> None:
        self.counts.unserialisable += 1
        now = time.monotonic()
        if now - self._said.get(self.counts.prefix, -math.inf) > _SAY_AGAIN_S:
            self._said[self.counts.prefix] = now
            log.error("cache.unserialisable", key=key, error=str(error))
