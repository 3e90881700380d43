"""The shared counters, read: by prefix and tier, by the minute, and how build times spread."""

from __future__ import annotations

import json
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

from vabhub.cache.cached import cached
from vabhub.cache.counts import BOUNDS_S
from vabhub.cache.stats import GONE_AFTER_S, MINUTE, PROCESSES, TOTALS
from vabhub.cache.tier import Usage
from vabhub.cache.tiers import store
from vabhub.clock import isoformat_of
from vabhub.redis_client import get_redis

TIERS = ("memory", "redis", "database")
Counted = dict[str, Counter[str]]
Used = dict[str, dict[str, Usage]]


@dataclass(frozen=True, slots=True)
class Shared:
    """What all processes counted: by prefix, of the tiers themselves, and what each process holds now."""

    by_prefix: Counted = field(default_factory=dict)
    tiers: Counter[str] = field(default_factory=Counter)
    processes: dict[str, dict[str, Any]] = field(default_factory=dict)


def report(minutes: int = 60) -> dict[str, Any]:
    """Return prefixes, tiers and the last `minutes`; raises redis.RedisError when Redis does not answer.

    A ratio without a question behind it is null, and so is what a tier that is down holds.
    """
    store().stats.flush()
    shared, used = read_shared(), usage()
    names = sorted({*shared.by_prefix, *(prefix for one in used.values() for prefix in one)})
    return {
        "prefixes": [_prefix(name, shared.by_prefix.get(name, Counter()), used) for name in names],
        "tiers": [_tier(name, shared, used) for name in TIERS],
        "timeline": timeline(minutes),
        "processes": len(shared.processes),
    }


def read_shared() -> Shared:
    """Return the shared counters; raises redis.RedisError when Redis does not answer."""
    pipeline = get_redis().pipeline(transaction=False)
    pipeline.hgetall(TOTALS)
    pipeline.hgetall(PROCESSES)
    totals, processes = pipeline.execute()
    by_prefix: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for name, count in totals.items():
        prefix, _, what = name.decode().rpartition("|")
        by_prefix[prefix][what] = int(count)
    return Shared(dict(by_prefix), by_prefix.pop("", Counter()), _living(processes))


def usage() -> Used:
    """Return entries and bytes by tier and prefix; memory's are added up over the processes."""
    found = {name: {key: Usage(*one) for key, one in kept.items()} for name, kept in _far_usage().items()}
    memory: defaultdict[str, Usage] = defaultdict(Usage)
    for gauge in read_shared().processes.values():
        for prefix, one in gauge["memory"].items():
            memory[prefix] += Usage(*one)
    return {"memory": dict(memory), **found}


def timeline(minutes: int) -> list[dict[str, Any]]:
    """Return what was asked in each of the last minutes, oldest first, and where it was found."""
    last = int(time.time() // 60)
    wanted = range(last - minutes + 1, last + 1)
    pipeline = get_redis().pipeline(transaction=False)
    for minute in wanted:
        pipeline.hgetall(f"{MINUTE}{minute}")
    return [_minute(at, stored) for at, stored in zip(wanted, pipeline.execute(), strict=True)]


def quantile_ms(counts: Counter[str], share: float) -> float | None:
    """Return the build time that this share of the builds does not exceed, None without a build.

    Within a bucket the times are taken to spread evenly, so it is as exact as the buckets are narrow.
    """
    bounds = (0.0, *BOUNDS_S)
    in_buckets = [counts[f"le:{bound:g}"] for bound in BOUNDS_S] + [counts["le:inf"]]
    wanted, seen = share * sum(in_buckets), 0.0
    for at, count in enumerate(in_buckets):
        if count and seen + count >= wanted:
            low, high = bounds[at], bounds[min(at + 1, len(bounds) - 1)]
            return round(1000 * (low + (high - low) * (wanted - seen) / count), 2)
        seen += count
    return None


# Counting looks at every key in Redis and every row of the table.
@cached(ttl=10, key_prefix="cache-usage", early=0)
def _far_usage() -> dict[str, dict[str, list[int]]]:
    tiers = store()
    kept = {}
    for tier in (tiers.redis, tiers.database):
        if tier is not None and tier.health.is_up:
            kept[tier.name] = {name: [one.entries, one.size_bytes] for name, one in tier.usage().items()}
    return kept


def _living(processes: dict[bytes, bytes]) -> dict[str, dict[str, Any]]:
    found, gone, now = {}, [], time.time()
    for name, raw in processes.items():
        gauge = json.loads(raw)
        if now - gauge["at"] < GONE_AFTER_S:
            found[name.decode()] = gauge
        elif now - gauge["at"] > 10 * GONE_AFTER_S:
            gone.append(name)
    if gone:
        get_redis().hdel(PROCESSES, *gone)
    return found


def _prefix(name: str, counts: Counter[str], used: Used) -> dict[str, Any]:
    hits = sum(counts[f"{tier}_hits"] for tier in TIERS) + counts["waits"]
    asked = hits + counts["misses"] + counts["stale"]
    told = ("misses", "stale", "builds", "failures", "early", "waits", "invalidations", "unserialisable")
    return {
        "prefix": name,
        "hits": hits,
        "hit_ratio": _ratio(hits, asked),
        **{what: counts[what] for what in told},
        "build_ms": {"p50": quantile_ms(counts, 0.5), "p95": quantile_ms(counts, 0.95)},
        "tiers": {tier: _prefix_in(tier, name, counts, used) for tier in TIERS},
    }


def _prefix_in(tier: str, name: str, counts: Counter[str], used: Used) -> dict[str, int | None]:
    known = used.get(tier)
    one = None if known is None else known.get(name, Usage())
    return {
        "hits": counts[f"{tier}_hits"],
        "entries": None if one is None else one.entries,
        "size_bytes": None if one is None else one.size_bytes,
    }


def _tier(name: str, shared: Shared, used: Used) -> dict[str, Any]:
    known = used.get(name)
    total = None if known is None else sum(known.values(), Usage())
    return {
        "tier": name,
        "up": not any(name in gauge["down"] for gauge in shared.processes.values()),
        "hits": sum(counts[f"{name}_hits"] for counts in shared.by_prefix.values()),
        "entries": None if total is None else total.entries,
        "size_bytes": None if total is None else total.size_bytes,
        "evictions": shared.tiers["evictions"] if name == "memory" else None,
        "failures": None if name == "memory" else shared.tiers[f"{name}_failures"],
        "corrupt": None if name == "memory" else shared.tiers[f"{name}_corrupt"],
    }


def _minute(minute: int, stored: dict[bytes, bytes]) -> dict[str, Any]:
    counts: Counter[str] = Counter()
    for name, count in stored.items():
        counts[name.decode().rpartition("|")[2]] += int(count)
    by_tier = {tier: counts[f"{tier}_hits"] for tier in TIERS}
    hits = sum(by_tier.values())
    asked = hits + counts["misses"] + counts["stale"]
    return {
        "at": isoformat_of(minute * 60),
        "asked": asked,
        "hit_ratio": _ratio(hits, asked),
        "hits": by_tier,
        "misses": counts["misses"],
        "stale": counts["stale"],
        "builds": counts["builds"],
    }


def _ratio(hits: int, asked: int) -> float | None:
    return round(hits / asked, 4) if asked else None
