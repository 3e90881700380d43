"""Reads the past back: one point an interval, from the tier that fits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from vabhub.clock import isoformat, utcnow
from vabhub.collectors.history.series import NAMES, kind_of, unit_of
from vabhub.collectors.history.tiers import HOUR_S, RAW, TIERS, Tier, rounded_step, tier_for
from vabhub.db import reading
from vabhub.models import MetricPoint, MetricSeries, MetricTier


@dataclass(slots=True)
class Bucket:
    """What one series was in one interval; `total` is weighted by `n` samples."""

    total: float
    n: int
    low: float
    high: float


_FOR_EVER = 2**62
Buckets = dict[tuple[int, int], Bucket]
"""By the series' number and when the interval begins."""


def query(hours: float, interval_minutes: float, series: Sequence[str] = ()) -> dict[str, Any]:
    """Return the last `hours`, one point an interval: average, and `_min` and `_max`; unknown is None.

    `series` adds series of parts, by the names that `known_series` lists. The coarsest tier that is fine
    enough and reaches far enough is read; where none is both, the interval grows (`interval_s` says to
    what). What it does not hold yet comes from the finer tiers.
    """
    names = tuple(dict.fromkeys((*NAMES, *series)))
    asked_s = max(RAW.step_s, int(interval_minutes * 60))
    tier = tier_for(hours * HOUR_S, asked_s)
    step_s = rounded_step(tier, asked_s)
    now = int(utcnow().timestamp())
    first = int(now - hours * HOUR_S) // step_s * step_s
    with reading() as session:
        numbers = _numbers(session, names)
        buckets = _read(session, tier, first, step_s, list(numbers.values()))
    return {
        "hours": hours,
        "interval_minutes": interval_minutes,
        "interval_s": step_s,
        "tier_s": tier.step_s,
        "points": [_point(at, names, numbers, buckets) for at in range(first, now + 1, step_s)],
    }


def known_series() -> list[dict[str, Any]]:
    """Return every series there is: name, kind and part (None for the whole), unit, `last_at` to the hour."""
    with reading() as session:
        rows = session.scalars(select(MetricSeries).order_by(MetricSeries.name)).all()
    return [
        {
            "name": row.name,
            "kind": kind_of(row.name),
            "part": row.name.partition(":")[2] or None,
            "unit": unit_of(row.name),
            "last_at": isoformat(datetime.fromtimestamp(row.last_at, UTC)),
        }
        for row in rows
    ]


def _numbers(session: Session, names: Sequence[str]) -> dict[str, int]:
    rows = session.execute(select(MetricSeries.name, MetricSeries.id).where(MetricSeries.name.in_(names)))
    return dict(iter(rows))


def _read(session: Session, tier: Tier, first: int, step_s: int, numbers: list[int]) -> Buckets:
    """Return the buckets from the tier, and from finer ones where it is not filled yet."""
    filled = {row.tier_s: row.rolled_until for row in session.scalars(select(MetricTier))}
    buckets: Buckets = {}
    since = first
    for source in reversed(TIERS[: TIERS.index(tier) + 1]):
        until = _FOR_EVER if source == RAW else filled.get(source.step_s, 0)
        if until > since:
            _add(buckets, session.execute(_sums(source, since, until, step_s, numbers)))
            since = until
    return buckets


def _sums(
    source: Tier, since: int, until: int, step_s: int, numbers: list[int]
) -> Select[int, int, float, int, float, float]:
    bucket = MetricPoint.at - MetricPoint.at % step_s
    return (
        select(
            MetricPoint.series_id,
            bucket,
            func.sum(MetricPoint.avg * MetricPoint.n),
            func.sum(MetricPoint.n),
            func.min(MetricPoint.min),
            func.max(MetricPoint.max),
        )
        .where(
            MetricPoint.tier_s == source.step_s,
            MetricPoint.at >= since,
            MetricPoint.at < until,
            MetricPoint.series_id.in_(numbers),
        )
        .group_by(MetricPoint.series_id, bucket)
    )


def _add(buckets: Buckets, rows: Iterable[tuple[int, int, float, int, float, float]]) -> None:
    for number, at, total, n, low, high in rows:
        held = buckets.setdefault((number, at), Bucket(0.0, 0, low, high))
        held.total += float(total)
        held.n += int(n)
        held.low, held.high = min(held.low, low), max(held.high, high)


def _point(at: int, names: Sequence[str], numbers: Mapping[str, int], buckets: Buckets) -> dict[str, Any]:
    point: dict[str, Any] = {"timestamp": isoformat(datetime.fromtimestamp(at, UTC))}
    for name in names:
        bucket = buckets.get((numbers.get(name, 0), at))
        point[name] = round(bucket.total / bucket.n, 2) if bucket else None
        point[f"{name}_min"] = round(bucket.low, 2) if bucket else None
        point[f"{name}_max"] = round(bucket.high, 2) if bucket else None
    return point
