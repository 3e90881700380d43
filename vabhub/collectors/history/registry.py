"""The numbers of the series in the database, and the bound on how many there are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from vabhub.collectors.history.series import KINDS, kind_of
from vabhub.collectors.history.tiers import HOUR_S
from vabhub.log import get_logger
from vabhub.models import MetricSeries

log = get_logger(__name__)

_TOUCH_EVERY_S = HOUR_S


def numbers(session: Session, newest: dict[str, int]) -> dict[str, int]:
    """Return the number of each series by its name; a part beyond the most of its kind has none.

    `newest` gives the names with the time of their newest point, noted by the hour: that is how a part that
    is gone for good is known.
    """
    known = {row.name: row for row in session.scalars(select(MetricSeries))}
    counts = Counter(kind_of(name) for name in known)
    for name in sorted(newest.keys() - known.keys()):
        kind = kind_of(name)
        if kind is not None and counts[kind] >= KINDS[kind][1]:
            continue
        counts[kind] += 1
        known[name] = MetricSeries(name=name, last_at=newest[name])
        session.add(known[name])
    session.flush()
    _touch(session, [known[name] for name in newest if name in known], newest)
    return {name: known[name].id for name in newest if name in known}


def _touch(session: Session, rows: Iterable[MetricSeries], newest: dict[str, int]) -> None:
    for row in rows:
        if newest[row.name] - row.last_at >= _TOUCH_EVERY_S:
            session.execute(
                update(MetricSeries).where(MetricSeries.id == row.id).values(last_at=newest[row.name])
            )
