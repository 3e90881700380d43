"""The one place that asks what time it is, so that tests can say."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime


def _system_now() -> datetime:
    return datetime.now(UTC)


_now: Callable[[], datetime] = _system_now


def utcnow() -> datetime:
    """Return the time now, aware, in UTC."""
    return _now()


def epoch() -> float:
    """Return the time now in seconds since 1970: for those who ask often."""
    return time.time() if _now is _system_now else _now().timestamp()


def isoformat(moment: datetime) -> str:
    """Return `2026-11-23T22:12:27.123456Z`; a naive time is a fault of the caller and raises ValueError."""
    if moment.tzinfo is None:
        raise ValueError("a time without a zone")
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def isoformat_of(epoch_s: float) -> str:
    """Return seconds since 1970 as `isoformat` writes a time."""
    return isoformat(datetime.fromtimestamp(epoch_s, UTC))


def parse_iso(text: str) -> datetime:
    """Return the aware time written as ISO 8601; a text without a zone is read as UTC."""
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


@contextmanager
def frozen(now: Callable[[], datetime]) -> Iterator[None]:
    """Let `now` tell the time for the length of the block (tests)."""
    global _now
    before, _now = _now, now
    try:
        yield
    finally:
        _now = before
