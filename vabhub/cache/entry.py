"""What a tier keeps: a value, when it was built, and until when it may be served."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Entry:
    """A value with its times, in seconds since 1970. `build_s`: how long it took, times XFetch's beta."""

    value: Any
    built_at: float
    expires_at: float
    stale_until: float
    build_s: float = 0.0

    def is_fresh(self, now: float) -> bool:
        """Return whether it may be served as it is."""
        return now < self.expires_at

    def is_kept(self, now: float) -> bool:
        """Return whether it is of any use: fresh, or to be served when building a new one fails."""
        return now < self.stale_until


def make_entry(value: Any, ttl_s: float, *, now: float, stale_s: float = 0.0, build_s: float = 0.0) -> Entry:
    """Return an entry that was built just now; raises ValueError for a TTL that is not above 0."""
    check_ttl(ttl_s)
    return Entry(value, now, now + ttl_s, now + ttl_s + max(0.0, stale_s), build_s)


def check_ttl(ttl_s: float) -> float:
    """Return the TTL; raises ValueError unless it is above 0 (0 is not "for ever", and not a default)."""
    if not 0 < ttl_s < float("inf"):
        raise ValueError(f"a TTL must be above 0 seconds and finite, got {ttl_s!r}")
    return ttl_s
