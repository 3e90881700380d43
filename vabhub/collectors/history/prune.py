"""Forgets what no tier keeps any longer, and the parts that are gone for good."""

from __future__ import annotations

import time

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from vabhub.clock import utcnow
from vabhub.collectors.history.rollup import lock, tier_marks
from vabhub.collectors.history.series import NAMES
from vabhub.collectors.history.tiers import DAY_S, TIERS, Tier
from vabhub.db import transaction
from vabhub.models import MetricPoint, MetricSeries

# A disk that was not seen for so long makes room for another.
GONE_AFTER_S = 90 * DAY_S
_PAUSE_S = 0.01


def prune() -> int:
    """Delete the points that each tier no longer keeps; return how many.

    Never half a bucket of the next tier, and nothing that is not in that tier yet.
    """
    now = int(utcnow().timestamp())
    removed = 0
    for number, tier in enumerate(TIERS):
        coarser = TIERS[number + 1] if number + 1 < len(TIERS) else None
        with transaction() as session:
            lock(session)
            removed += _prune_tier(session, tier, coarser, now)
        time.sleep(_PAUSE_S)  # let other writers in
    with transaction() as session:
        _forget_gone(session, now)
    return removed


def _prune_tier(session: Session, tier: Tier, coarser: Tier | None, now: int) -> int:
    marks = tier_marks(session)
    until = now - tier.keep_s
    if coarser is not None:
        until = min(coarser.bucket(until), marks[coarser.step_s].rolled_until)
    mark = marks[tier.step_s]
    mark.pruned_until = max(mark.pruned_until, until)
    old = delete(MetricPoint).where(MetricPoint.tier_s == tier.step_s, MetricPoint.at < until)
    return max(0, int(session.execute(old).rowcount))  # type: ignore[attr-defined]


def _forget_gone(session: Session, now: int) -> None:
    gone = select(MetricSeries.id).where(
        MetricSeries.last_at < now - GONE_AFTER_S, MetricSeries.name.not_in(NAMES)
    )
    numbers = list(session.scalars(gone))
    if numbers:
        session.execute(delete(MetricPoint).where(MetricPoint.series_id.in_(numbers)))
        session.execute(delete(MetricSeries).where(MetricSeries.id.in_(numbers)))
