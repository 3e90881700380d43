"""Whatever comes late, twice, or around a crash: the tiers hold what a plain list of all samples says."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as some
from sqlalchemy import delete, select

from vabhub import clock, db
from vabhub.collectors import history
from vabhub.collectors.base import Snapshot, Source
from vabhub.collectors.history import RAW, TIERS, Recorder
from vabhub.models import MetricPoint, MetricSeries, MetricTier
from vabhub.settings import Settings

START = datetime(2026, 10, 24, 23, 50, tzinfo=UTC)  # ten minutes before a day ends
EPOCH_S = int(START.timestamp())
MINUTES = 25

Sample = tuple[int, float]
Row = tuple[float, float, float, int]

offsets = some.integers(0, MINUTES * 30 - 1).map(lambda number: 2 * number)
samples = some.lists(some.tuples(offsets, some.integers(0, 100).map(float)), min_size=1, max_size=12)
# What happens to a batch: written, written while a second scheduler writes the same, or lost in a crash.
steps = some.lists(some.tuples(some.sampled_from(["write", "twice", "crash", "prune"]), samples), max_size=12)


class Model:
    """All samples, the first of a moment."""

    def __init__(self) -> None:
        self.samples: dict[int, float] = {}

    def add(self, batch: list[Sample]) -> None:
        for offset, value in batch:
            self.samples.setdefault(EPOCH_S + offset, value)

    def tier(self, step_s: int, until: int) -> dict[int, Row]:
        """Return the buckets that end before `until`: lowest, average, highest, count."""
        buckets: dict[int, list[float]] = defaultdict(list)
        for at, value in self.samples.items():
            buckets[at - at % step_s].append(value)
        return {
            at: (min(held), round(sum(held) / len(held), 6), max(held), len(held))
            for at, held in buckets.items()
            if at + step_s <= until
        }


@pytest.fixture
def now(database: Settings) -> Iterator[None]:
    with clock.frozen(lambda: START + timedelta(minutes=MINUTES)):
        yield


@settings(
    max_examples=12,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(steps)
def test_tiers_agree_with_all_samples(now: None, taken: list[tuple[str, list[Sample]]]) -> None:
    _empty()
    model = Model()
    for step, batch in taken:
        recorder = Recorder()
        _record(recorder, batch)
        if step == "crash":
            continue
        recorder.flush()
        model.add(batch)
        if step == "twice":
            _record(recorder, batch)
            recorder.flush()
        if step == "prune":
            history.prune()
    for tier in TIERS:
        until = _filled(tier.step_s)
        assert _stored(tier.step_s) == model.tier(tier.step_s, until), tier
    _answers_agree(model)


def _answers_agree(model: Model) -> None:
    """What is not in a coarse tier yet comes from the finer ones, so an answer lacks nothing."""
    for minutes in (1, 15):
        expected = model.tier(minutes * 60, 2**40)
        for point in history.query(1, minutes)["points"]:
            at = int(clock.parse_iso(point["timestamp"]).timestamp())
            low, average, high, _ = expected.pop(at, (None, None, None, 0))
            assert point["cpu_usage"] == (None if average is None else pytest.approx(average, abs=0.006))
            assert (point["cpu_usage_min"], point["cpu_usage_max"]) == (low, high)
        assert expected == {}


def _record(recorder: Recorder, batch: list[Sample]) -> None:
    for offset, value in batch:
        at = START + timedelta(seconds=offset)
        recorder.record(Snapshot(Source.SYSTEM, at, data={"cpu_usage": value}))


def _stored(tier_s: int) -> dict[int, Row]:
    with db.reading() as session:
        rows = session.scalars(select(MetricPoint).where(MetricPoint.tier_s == tier_s))
        return {row.at: (row.min, round(row.avg, 6), row.max, row.n) for row in rows}


def _filled(tier_s: int) -> int:
    if tier_s == RAW.step_s:
        return 2**40
    with db.reading() as session:
        mark = session.get(MetricTier, tier_s)
        return mark.rolled_until if mark is not None else 0


def _empty() -> None:
    with db.transaction() as session:
        for table in (MetricPoint, MetricSeries, MetricTier):
            session.execute(delete(table))
