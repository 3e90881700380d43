"""Counters of one kind of keys in one process. Reading and adding one is all that a hit pays for."""

from __future__ import annotations

from bisect import bisect_left

# Upper bounds of build times in seconds; one more counts what takes longer.
BOUNDS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
NAMES = (
    "memory_hits",
    "redis_hits",
    "database_hits",
    "misses",
    "stale",
    "builds",
    "failures",
    "early",
    "waits",
    "invalidations",
    "unserialisable",
)


class Counts:
    """What happened to the keys of one prefix or one function, since the process began."""

    __slots__ = (*NAMES, "build_ms", "buckets", "prefix")

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.memory_hits = 0
        self.redis_hits = 0
        self.database_hits = 0
        self.misses = 0  # nothing fresh in any tier
        self.stale = 0  # served past their TTL, because building failed or took too long
        self.builds = 0
        self.failures = 0
        self.early = 0  # builds before the end of the TTL
        self.waits = 0  # calls that another call's build answered
        self.invalidations = 0
        self.unserialisable = 0
        self.build_ms = 0
        self.buckets = [0] * (len(BOUNDS_S) + 1)

    def built(self, seconds: float) -> None:
        """Count a build and its time."""
        self.builds += 1
        self.build_ms += round(seconds * 1000)
        self.buckets[bisect_left(BOUNDS_S, seconds)] += 1

    def hit(self, tier: str) -> None:
        """Count a hit in the tier."""
        if tier == "memory":
            self.memory_hits += 1
        elif tier == "redis":
            self.redis_hits += 1
        else:
            self.database_hits += 1

    def as_dict(self) -> dict[str, int]:
        """Return all counters by name; build times as `le:<bound>`."""
        found = {name: int(getattr(self, name)) for name in (*NAMES, "build_ms")}
        bounds = (*(f"{bound:g}" for bound in BOUNDS_S), "inf")
        return {**found, **{f"le:{at}": n for at, n in zip(bounds, self.buckets, strict=True)}}
