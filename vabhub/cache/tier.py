"""What every tier can do, and what happens to one that fails: it is left alone for a while, and counted."""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from vabhub.cache.entry import Entry
from vabhub.log import get_logger

log = get_logger(__name__)

# No tier may slow a call by more than 50 ms, so each question gets a little less.
ANSWER_WITHIN_S = 0.045
REST_S = 1.0
LONGEST_REST_S = 15.0


@dataclass(frozen=True, slots=True)
class Usage:
    """How much a prefix takes up."""

    entries: int = 0
    size_bytes: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(self.entries + other.entries, self.size_bytes + other.size_bytes)


class Tier(ABC):
    """A place for entries. What is down answers as if it were empty."""

    name: str

    @abstractmethod
    def get(self, key: str) -> Entry | None:
        """Return the entry, also when it is past its TTL but still kept; None when there is none."""

    @abstractmethod
    def put(self, key: str, entry: Entry) -> bool:
        """Keep the entry; False when it was not, as for one that is older than what is here."""

    @abstractmethod
    def delete(self, keys: Iterable[str]) -> int:
        """Forget these keys; return how many were known."""

    @abstractmethod
    def delete_prefix(self, prefix: str) -> int:
        """Forget every key that begins like this; return how many were known."""

    @abstractmethod
    def usage(self) -> dict[str, Usage]:
        """Return entries and bytes by prefix."""


class Health:
    """Whether a tier is asked. After a failure it rests for a second, doubling to 15; then one call tries."""

    def __init__(self, tier: str, now: Callable[[], float] = time.monotonic) -> None:
        self.failures = 0
        self._tier = tier
        self._now = now
        self._lock = threading.Lock()
        self._in_a_row = 0
        self._rests_until = 0.0

    @property
    def is_up(self) -> bool:
        """Whether the tier is not resting."""
        return self._in_a_row == 0

    def may_ask(self) -> bool:
        """Return whether to ask the tier now; of those who come after a rest, one is let through."""
        if self._in_a_row == 0:
            return True
        with self._lock:
            if self._now() < self._rests_until:
                return False
            self._rests_until = self._now() + REST_S
            return True

    def failed(self, reason: object) -> None:
        """Note a failure; the first in a row is written down."""
        with self._lock:
            self.failures += 1
            self._in_a_row += 1
            rest_s = min(LONGEST_REST_S, REST_S * 2 ** min(self._in_a_row - 1, 10))
            self._rests_until = self._now() + rest_s
            first = self._in_a_row == 1
        if first:
            log.warning("cache.tier_down", tier=self._tier, reason=str(reason)[:200])

    def answered(self) -> None:
        """Note that the tier works."""
        if self._in_a_row:
            with self._lock:
                self._in_a_row = 0
            log.info("cache.tier_up", tier=self._tier)
