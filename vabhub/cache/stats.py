"""What the cache did: counted in each process, added up in Redis, in total and by the minute for a day."""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import redis

from vabhub.cache.counts import Counts
from vabhub.cache.database import DatabaseTier
from vabhub.cache.keys import prefix_of
from vabhub.cache.memory import Memory
from vabhub.cache.redis_tier import RedisTier
from vabhub.log import get_logger
from vabhub.redis_client import PREFIX, get_cache_redis

log = get_logger(__name__)

TOTALS = f"{PREFIX}cache:stats:total"
MINUTE = f"{PREFIX}cache:stats:minute:"
PROCESSES = f"{PREFIX}cache:stats:processes"
KEPT_MINUTES = 24 * 60
# A process that has not reported for so long is gone.
GONE_AFTER_S = 15.0
# Prefixes come from the code; more of them than this would be a fault, and not one that fills Redis.
_MOST_PREFIXES = 200
_OTHER = "other"
_BY_MINUTE = frozenset({"memory_hits", "redis_hits", "database_hits", "misses", "stale", "builds"})


class Stats:
    """The counters of this process, and how they reach the shared ones."""

    def __init__(self, memory: Memory, redis: RedisTier | None, database: DatabaseTier | None) -> None:
        self._memory = memory
        self._farther = [tier for tier in (redis, database) if tier is not None]
        self._lock = threading.Lock()
        self._all: list[Counts] = []
        self._by_prefix: dict[str, Counts] = {}
        self._told: Counter[str] = Counter()
        self._name = f"{socket.gethostname()}:{os.getpid()}"

    def of(self, key: str) -> Counts:
        """Return the counters of this key's prefix."""
        prefix = prefix_of(key)
        found = self._by_prefix.get(prefix)
        return found if found is not None else self._add(prefix)

    def register(self, counts: Counts) -> None:
        """Let the counters of a function be added up with the others."""
        with self._lock:
            self._all.append(counts)

    def invalidated(self, key: str) -> None:
        """Count an invalidation."""
        self.of(key).invalidations += 1

    def flush(self) -> bool:
        """Add to the shared counters what was counted since the last time; False while Redis is down."""
        with self._lock:
            now = Counter(dict(self._fields()))
            new = {name: count - self._told[name] for name, count in now.items() if count > self._told[name]}
            try:
                self._send(new)
            except (redis.RedisError, OSError) as error:
                log.debug("cache.stats_kept_back", reason=str(error)[:200])
                return False
            self._told = now
            return True

    def _add(self, prefix: str) -> Counts:
        with self._lock:
            if len(self._by_prefix) >= _MOST_PREFIXES:
                prefix = _OTHER
            found = self._by_prefix.get(prefix)
            if found is None:
                found = self._by_prefix[prefix] = Counts(prefix)
                self._all.append(found)
            return found

    def _fields(self) -> Iterator[tuple[str, int]]:
        summed: Counter[str] = Counter()
        for counts in self._all:
            for name, count in counts.as_dict().items():
                summed[f"{counts.prefix}|{name}"] += count
        yield from summed.items()
        yield from ((f"|{name}", count) for name, count in self._of_tiers().items())

    def _send(self, new: dict[str, int]) -> None:
        minute = f"{MINUTE}{int(time.time() // 60)}"
        pipeline = get_cache_redis().pipeline(transaction=False)
        for name, count in new.items():
            pipeline.hincrby(TOTALS, name, count)
            if name.rpartition("|")[2] in _BY_MINUTE:
                pipeline.hincrby(minute, name, count)
        pipeline.expire(minute, KEPT_MINUTES * 60)
        pipeline.hset(PROCESSES, self._name, json.dumps(self._gauge()))
        pipeline.execute()

    def _gauge(self) -> dict[str, Any]:
        usage = self._memory.usage()
        used = {prefix: [one.entries, one.size_bytes] for prefix, one in usage.items()}
        down = [tier.name for tier in self._farther if not tier.health.is_up]
        return {"at": time.time(), "memory": used, "down": down}

    def _of_tiers(self) -> dict[str, int]:
        found = {"evictions": self._memory.evictions}
        for tier in self._farther:
            found |= {f"{tier.name}_failures": tier.health.failures, f"{tier.name}_corrupt": tier.corrupt}
            if isinstance(tier, DatabaseTier):
                found["database_dropped"] = tier.dropped
        return found
