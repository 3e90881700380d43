"""Writes points and fills the coarser tiers from the finer ones, as far as they are complete."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any, cast

from sqlalchemy import Table, func, literal, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from vabhub.collectors.history.tiers import RAW, TIERS, Tier, ranges
from vabhub.models import MetricPoint, MetricTier

NumberedPoint = tuple[int, int, float]
"""Number of the series, time in seconds since 1970, value."""

# Any number that no other program on the same PostgreSQL uses for its advisory lock.
_ONE_WRITER = 0x7661_6268_6869
_POINT = cast(Table, MetricPoint.__table__)
_VALUES = ("min", "avg", "max", "n")


def lock(session: Session) -> None:
    """Let one writer at a time see all points: of two that roll one bucket, each would miss the other's."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(_ONE_WRITER)))


def store(session: Session, points: Sequence[NumberedPoint]) -> None:
    """Insert raw points and bring every coarser tier up to date, in the caller's transaction.

    Called again with the same points it changes nothing. Points that come late have their buckets made anew.
    """
    _insert(session, points)
    marks = tier_marks(session)
    times = {at for _, at, _ in points}
    complete = max(times)
    for finer, coarser in pairwise(TIERS):
        mark = marks[coarser.step_s]
        if mark.rolled_until == 0:
            mark.rolled_until = coarser.bucket(min(times))
        late = {coarser.bucket(at) for at in times if at < mark.rolled_until}
        until = coarser.bucket(complete)
        spans = ranges(late, coarser.step_s)
        if until > mark.rolled_until:
            spans.append((mark.rolled_until, until))
        for since, end in spans:
            _roll_up(session, finer, coarser, since, end)
        mark.rolled_until = complete = max(mark.rolled_until, until)
    session.flush()


def tier_marks(session: Session) -> dict[int, MetricTier]:
    """Return how far each tier is filled and pruned, by its step; changes of a mark are stored."""
    marks = {row.tier_s: row for row in session.scalars(select(MetricTier))}
    for tier in TIERS:
        if tier.step_s not in marks:
            marks[tier.step_s] = MetricTier(tier_s=tier.step_s, rolled_until=0, pruned_until=0)
            session.add(marks[tier.step_s])
    return marks


def _insert(session: Session, points: Iterable[NumberedPoint]) -> None:
    # One statement for each row, compiled once for ever: all rows in one statement took thrice the processor.
    rows = [
        {"series_id": number, "tier_s": RAW.step_s, "at": at, "min": v, "avg": v, "max": v, "n": 1}
        for number, at, v in points
    ]
    session.connection().execute(_insert_into(session).on_conflict_do_nothing(), rows)


def _roll_up(session: Session, finer: Tier, coarser: Tier, since: int, until: int) -> None:
    """Make the buckets of [since, until) from the finer tier, whatever was there before."""
    bucket = MetricPoint.at - MetricPoint.at % coarser.step_s
    n = func.sum(MetricPoint.n)
    rows = (
        select(
            MetricPoint.series_id,
            literal(coarser.step_s),
            bucket,
            func.min(MetricPoint.min),
            func.sum(MetricPoint.avg * MetricPoint.n) / n,
            func.max(MetricPoint.max),
            n,
        )
        .where(MetricPoint.tier_s == finer.step_s, MetricPoint.at >= since, MetricPoint.at < until)
        .group_by(MetricPoint.series_id, bucket)
    )
    insert = _insert_into(session).from_select(("series_id", "tier_s", "at", *_VALUES), rows)
    anew = {name: insert.excluded[name] for name in _VALUES}
    session.execute(insert.on_conflict_do_update(index_elements=["tier_s", "at", "series_id"], set_=anew))


def _insert_into(session: Session) -> Any:
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    return dialect.insert(_POINT)
