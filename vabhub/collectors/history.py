"""The past of the numbers: raw for an hour, coarser for longer. What was not measured stays a gap."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice, pairwise
from typing import Any

from sqlalchemy import delete, func, literal, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from vabhub.clock import isoformat, utcnow
from vabhub.collectors.base import Snapshot, SnapshotStatus, Source
from vabhub.db import reading, transaction
from vabhub.models import MetricPoint

HOUR_S, DAY_S = 3600, 86_400


@dataclass(frozen=True, slots=True)
class Tier:
    """One point every `step_s` seconds, kept for `keep_s`."""

    step_s: int
    keep_s: int


TIERS = (
    Tier(2, HOUR_S),
    Tier(10, DAY_S),
    Tier(60, 7 * DAY_S),
    Tier(900, 90 * DAY_S),
    Tier(DAY_S, 5 * 365 * DAY_S),
)
RAW = TIERS[0]


def _load(data: Mapping[str, Any]) -> float | None:
    load: Sequence[float] | None = data.get("load")
    return load[0] if load else None


SERIES: dict[str, dict[str, Callable[[Mapping[str, Any]], float | None]]] = {
    Source.SYSTEM: {
        "cpu_usage": lambda data: data.get("cpu_usage"),
        "memory_usage": lambda data: data.get("memory_usage"),
        "disk_usage": lambda data: data.get("disk_usage"),
        "network_sent_bps": lambda data: data.get("network_sent_bps"),
        "network_recv_bps": lambda data: data.get("network_recv_bps"),
        "load_1m": _load,
    },
    Source.DOWNLOADS: {
        "download_bps": lambda data: data.get("download_bps"),
        "upload_bps": lambda data: data.get("upload_bps"),
    },
}
NAMES = tuple(name for series in SERIES.values() for name in series)

# An hour of samples: how long the database may be away before the oldest are given up.
_MOST_WAITING = 2 * HOUR_S // RAW.step_s
_ROWS_AN_INSERT = 200

Point = tuple[str, int, float]


class Recorder:
    """Collects points in memory and writes them in batches; one lives in the process that publishes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: deque[list[Point]] = deque(maxlen=_MOST_WAITING)
        self._rolled_until: dict[int, int] = {}

    def record(self, snapshot: Snapshot) -> None:
        """Remember the numbers of a good reading until the next flush."""
        if snapshot.status != SnapshotStatus.OK or snapshot.data is None:
            return
        at = int(snapshot.collected_at.timestamp())
        points = [(name, at, read(snapshot.data)) for name, read in SERIES.get(snapshot.source, {}).items()]
        known = [(name, at, float(value)) for name, at, value in points if value is not None]
        if known:
            with self._lock:
                self._waiting.append(known)

    def flush(self) -> int:
        """Write what waits and fill the coarser tiers; return how many points were new.

        Raises Unavailable when the database does not answer; the points wait for the next flush then.
        """
        with self._lock:
            batches = list(self._waiting)
            self._waiting.clear()
        points = [point for batch in batches for point in batch]
        if points:
            try:
                self._write(points)
            except BaseException:
                self._put_back(batches)
                raise
        return len(points)

    def _write(self, points: list[Point]) -> None:
        with transaction() as session:
            _insert(session, points)
            rolled = _roll_up_all(session, max(at for _, at, _ in points), self._rolled_until)
        self._rolled_until = rolled

    def _put_back(self, batches: list[list[Point]]) -> None:
        with self._lock:
            since = list(self._waiting)
            self._waiting.clear()
            self._waiting.extend([*batches, *since])


_recorder = Recorder()
record = _recorder.record
flush = _recorder.flush


def query(hours: float, interval_minutes: float) -> dict[str, Any]:
    """Return the averages of the last `hours`, one point an interval; unknown is None.

    The coarsest tier that is fine enough and reaches far enough is read; where none is both, the interval
    grows (`interval_s` says to what). What it does not hold yet comes from the finer tiers.
    """
    tier = _tier_for(hours * HOUR_S, interval_minutes * 60)
    step_s = max(int(interval_minutes * 60), tier.step_s)
    now = int(utcnow().timestamp())
    first = int(now - hours * HOUR_S) // step_s * step_s
    with reading() as session:
        sums = _sums(session, tier, first, step_s)
    return {
        "hours": hours,
        "interval_minutes": interval_minutes,
        "interval_s": step_s,
        "tier_s": tier.step_s,
        "points": [_point(at, sums) for at in range(first, now + 1, step_s)],
    }


def prune() -> int:
    """Delete the points that each tier no longer keeps; return how many."""
    now = int(utcnow().timestamp())
    removed = 0
    for tier in TIERS:
        with transaction() as session:
            old = delete(MetricPoint).where(
                MetricPoint.series.in_(NAMES),
                MetricPoint.tier_s == tier.step_s,
                MetricPoint.at < now - tier.keep_s,
            )
            removed += max(0, session.execute(old).rowcount)  # type: ignore[attr-defined]
        time.sleep(0.01)  # let other writers in
    return removed


def _tier_for(span_s: float, step_s: float) -> Tier:
    reaching = [tier for tier in TIERS if tier.keep_s >= span_s] or [TIERS[-1]]
    return max((tier for tier in reaching if tier.step_s <= step_s), default=reaching[0], key=_step)


def _step(tier: Tier) -> int:
    return tier.step_s


def _sums(session: Session, tier: Tier, first: int, step_s: int) -> dict[tuple[str, int], tuple[float, int]]:
    """Return weighted sums and sample counts by series and bucket, going to finer tiers for the newest."""
    sums: dict[tuple[str, int], tuple[float, int]] = {}
    since = first
    for source in reversed(TIERS[: TIERS.index(tier) + 1]):
        bucket = MetricPoint.at - MetricPoint.at % step_s
        rows = session.execute(
            select(
                MetricPoint.series,
                bucket,
                func.sum(MetricPoint.avg * MetricPoint.n),
                func.sum(MetricPoint.n),
                func.max(MetricPoint.at),
            )
            .where(
                MetricPoint.series.in_(NAMES), MetricPoint.tier_s == source.step_s, MetricPoint.at >= since
            )
            .group_by(MetricPoint.series, bucket)
        )
        for series, at, total, count, newest in rows:
            known = sums.get((series, at), (0.0, 0))
            sums[series, at] = known[0] + float(total), known[1] + int(count)
            since = max(since, newest + source.step_s)
    return sums


def _point(at: int, sums: Mapping[tuple[str, int], tuple[float, int]]) -> dict[str, Any]:
    point: dict[str, Any] = {"timestamp": isoformat(datetime.fromtimestamp(at, UTC))}
    for name in NAMES:
        total, count = sums.get((name, at), (0.0, 0))
        point[name] = round(total / count, 2) if count else None
    return point


def _insert(session: Session, points: Iterable[Point]) -> None:
    rows = iter(points)
    while batch := list(islice(rows, _ROWS_AN_INSERT)):
        values = [
            {"series": name, "tier_s": RAW.step_s, "at": at, "min": v, "avg": v, "max": v, "n": 1}
            for name, at, v in batch
        ]
        session.execute(_insert_into(session).values(values).on_conflict_do_nothing())


def _roll_up_all(session: Session, newest: int, known: Mapping[int, int]) -> dict[int, int]:
    """Fill every tier from the next finer one as far as that is complete; return how far each now is."""
    rolled = dict(known)
    complete = newest
    for finer, coarser in pairwise(TIERS):
        until = complete // coarser.step_s * coarser.step_s
        since = rolled.get(coarser.step_s)
        if since is None:
            since = _newest(session, coarser) + coarser.step_s
        if since < until:
            _roll_up(session, finer, coarser, since, until)
        complete = rolled[coarser.step_s] = max(since, until)
    return rolled


def _newest(session: Session, tier: Tier) -> int:
    found = select(func.max(MetricPoint.at)).where(
        MetricPoint.series.in_(NAMES), MetricPoint.tier_s == tier.step_s
    )
    return session.scalar(found) or 0


def _roll_up(session: Session, finer: Tier, coarser: Tier, since: int, until: int) -> None:
    """Add the buckets of [since, until) to the coarser tier; a bucket that is there stays as it is."""
    bucket = MetricPoint.at - MetricPoint.at % coarser.step_s
    n = func.sum(MetricPoint.n)
    mean = func.sum(MetricPoint.avg * MetricPoint.n) / n
    columns = ("series", "tier_s", "at", "min", "avg", "max", "n")
    rows = (
        select(
            MetricPoint.series,
            literal(coarser.step_s),
            bucket,
            func.min(MetricPoint.min),
            mean,
            func.max(MetricPoint.max),
            n,
        )
        .where(
            MetricPoint.series.in_(NAMES),
            MetricPoint.tier_s == finer.step_s,
            MetricPoint.at >= since,
            MetricPoint.at < until,
        )
        .group_by(MetricPoint.series, bucket)
    )
    session.execute(_insert_into(session).from_select(columns, rows).on_conflict_do_nothing())


def _insert_into(session: Session) -> Any:
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    return dialect.insert(MetricPoint)
