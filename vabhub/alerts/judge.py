"""Decides what a value does to an alert: "for N minutes" and hysteresis, in known time only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from vabhub.alerts.metrics import METRICS, MetricName

# Two readings farther apart than this say nothing about the time between them.
LONGEST_GAP_S = 60.0


class Status(StrEnum):
    """Where an alert is. Pending: broken, but not yet for long enough."""

    PENDING = "pending"
    FIRING = "firing"
    RESOLVED = "resolved"


class Change(StrEnum):
    """What is to be done about it."""

    NONE = "none"
    BEGIN = "begin"
    HOLD = "hold"
    DROP = "drop"
    FIRE = "fire"
    RESOLVE = "resolve"


@dataclass(frozen=True, slots=True)
class Limit:
    """The rule, as far as it decides."""

    metric: MetricName
    threshold: float
    clear_at: float
    for_s: float
    clear_s: float


@dataclass(frozen=True, slots=True)
class Standing:
    """How an alert stands. `held_s`: for how long it is known to be broken, or a firing one to be clear.

    None while a firing one is not clear.
    """

    status: Status
    held_s: float | None
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class Verdict:
    """The change, and how long the alert is known to have held now."""

    change: Change
    held_s: float | None = None


def judge(limit: Limit, standing: Standing | None, value: float | None, now: datetime) -> Verdict:
    """Return what this value changes. None, an unknown one, changes nothing and counts for no time.

    Between `clear_at` and `threshold` nothing counts either: a pending alert stands still, and a firing one
    begins anew to be clear.
    """
    if value is None:
        return Verdict(Change.NONE)
    metric = METRICS[limit.metric]
    broken = metric.is_broken(value, limit.threshold)
    clear = not broken and metric.is_clear(value, limit.clear_at)
    if standing is None:
        return Verdict(Change.BEGIN if broken else Change.NONE)
    if standing.status is Status.PENDING:
        return _pending(limit, standing, now, broken=broken, clear=clear)
    return _firing(limit, standing, now, clear=clear)


def _pending(limit: Limit, standing: Standing, now: datetime, *, broken: bool, clear: bool) -> Verdict:
    if clear:
        return Verdict(Change.DROP)
    held_s = standing.held_s or 0.0
    if not broken:
        return Verdict(Change.HOLD, held_s)
    held_s += _since(standing, now)
    return Verdict(Change.FIRE) if held_s >= limit.for_s else Verdict(Change.HOLD, held_s)


def _firing(limit: Limit, standing: Standing, now: datetime, *, clear: bool) -> Verdict:
    if not clear:
        return Verdict(Change.NONE if standing.held_s is None else Change.HOLD)
    held_s = 0.0 if standing.held_s is None else standing.held_s + _since(standing, now)
    return Verdict(Change.RESOLVE) if held_s >= limit.clear_s else Verdict(Change.HOLD, held_s)


def _since(standing: Standing, now: datetime) -> float:
    gap_s = (now - standing.seen_at).total_seconds()
    return gap_s if 0 <= gap_s <= LONGEST_GAP_S else 0.0
