"""Numbers about the cache for Prometheus, the same from every process: the shared counters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import redis
from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from vabhub.cache.counts import BOUNDS_S
from vabhub.cache.report import TIERS, Shared, read_shared, usage
from vabhub.cache.stats import Stats
from vabhub.cache.tiers import store

_OF_PREFIX = {
    "builds": "Values built",
    "failures": "Builds that failed",
    "invalidations": "Values invalidated",
    "unserialisable": "Values that could not be kept",
}


class CacheMetrics(Collector):
    """Reads at the time of asking; what cannot be read is left out, never 0."""

    def collect(self) -> Iterator[Metric]:
        """Return what is known now."""
        stats: Stats = store().stats
        stats.flush()
        try:
            shared, used = read_shared(), usage()
        except redis.RedisError:
            return
        yield _requests(shared)
        yield from _by_prefix(shared)
        yield _build_seconds(shared)
        yield from _of_tiers(shared)
        for name in ("entries", "size_bytes"):
            gauge = GaugeMetricFamily(
                f"vabhub_cache_{name}", f"What is kept: {name}", labels=["tier", "prefix"]
            )
            for tier, prefixes in used.items():
                for prefix, one in prefixes.items():
                    gauge.add_metric([tier, prefix], getattr(one, name))
            yield gauge

    def describe(self) -> list[Metric]:
        """Name nothing in advance: otherwise registering would ask Redis at once."""
        return []


def _requests(shared: Shared) -> Metric:
    family = CounterMetricFamily(
        "vabhub_cache_requests", "Questions by where they were answered", labels=["prefix", "result"]
    )
    for prefix, counts in sorted(shared.by_prefix.items()):
        for tier in TIERS:
            family.add_metric([prefix, tier], counts[f"{tier}_hits"])
        for result in ("waits", "misses", "stale"):
            family.add_metric([prefix, result], counts[result])
    return family


def _by_prefix(shared: Shared) -> Iterator[Metric]:
    for name, text in _OF_PREFIX.items():
        family = CounterMetricFamily(f"vabhub_cache_{name}", text, labels=["prefix"])
        for prefix, counts in sorted(shared.by_prefix.items()):
            family.add_metric([prefix], counts[name])
        yield family


def _build_seconds(shared: Shared) -> Metric:
    family = HistogramMetricFamily("vabhub_cache_build_seconds", "Time to build", labels=["prefix"])
    for prefix, counts in sorted(shared.by_prefix.items()):
        family.add_metric([prefix], _buckets(counts), counts["build_ms"] / 1000)
    return family


def _buckets(counts: Counter[str]) -> list[tuple[str, float]]:
    found, total = [], 0.0
    for bound in (*(f"{bound:g}" for bound in BOUNDS_S), "inf"):
        total += counts[f"le:{bound}"]
        found.append(("+Inf" if bound == "inf" else bound, total))
    return found


def _of_tiers(shared: Shared) -> Iterator[Metric]:
    yield CounterMetricFamily(
        "vabhub_cache_evictions", "Values pushed out of memory by others", value=shared.tiers["evictions"]
    )
    for name, text in (
        ("failures", "Questions that failed"),
        ("corrupt", "Values that nobody of ours wrote"),
    ):
        family = CounterMetricFamily(f"vabhub_cache_tier_{name}", text, labels=["tier"])
        for tier in TIERS[1:]:
            family.add_metric([tier], shared.tiers[f"{tier}_{name}"])
        yield family
