"""History in tiers: what was measured is kept, what was not stays a gap. On SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from sqlalchemy import func, select

from vabhub import clock, db
from vabhub.collectors import history
from vabhub.collectors.base import Snapshot, SnapshotStatus, Source
from vabhub.collectors.history import DAY_S, HOUR_S, RAW, Recorder
from vabhub.errors import Unavailable
from vabhub.models import MetricPoint
from vabhub.settings import Settings, use_settings

START = datetime(2026, 3, 29, 0, 30, tzinfo=UTC)  # the night when clocks go forward in much of Europe


class Time:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def time() -> Iterator[Time]:
    moving = Time()
    with clock.frozen(moving):
        yield moving


@pytest.fixture
def recorder(database: Settings) -> Recorder:
    return Recorder()


def reading(at: datetime, cpu: float | None, status: SnapshotStatus = SnapshotStatus.OK) -> Snapshot:
    return Snapshot(Source.SYSTEM, at, status, data={"cpu_usage": cpu, "load": [0.5, 0.4, 0.3]})


def run(recorder: Recorder, time: Time, minutes: float, cpu: float | None, flush_every: int = 5) -> None:
    """Sample every 2 s, as the scheduler does."""
    for number in range(int(minutes * 30)):
        recorder.record(reading(time.now, cpu))
        time.now += timedelta(seconds=2)
        if number % flush_every == flush_every - 1:
            recorder.flush()
    recorder.flush()


def count(tier_s: int) -> int:
    with db.reading() as session:
        found = select(func.count()).where(MetricPoint.tier_s == tier_s, MetricPoint.series == "cpu_usage")
        return session.scalar(found) or 0


def series(hours: float, minutes: float, name: str = "cpu_usage") -> list[float | None]:
    return [point[name] for point in history.query(hours, minutes)["points"]]


def test_samples_are_written_in_batches(recorder: Recorder, time: Time) -> None:
    for _ in range(5):
        recorder.record(reading(time.now, 10))
        time.now += timedelta(seconds=2)
    assert count(RAW.step_s) == 0
    assert recorder.flush() == 10
    assert count(RAW.step_s) == 5
    assert recorder.flush() == 0


def test_minutes_are_averages_and_the_newest_is_there_already(recorder: Recorder, time: Time) -> None:
    run(recorder, time, 2, cpu=10)
    run(recorder, time, 1.5, cpu=40)
    assert series(1, 1)[-4:] == [10, 10, 40, 40]
    assert count(60) == 3


def test_gap_stays_a_gap(recorder: Recorder, time: Time) -> None:
    run(recorder, time, 2, cpu=10)
    time.now += timedelta(minutes=3)
    run(recorder, time, 2, cpu=20)
    assert series(0.2, 1)[-8:] == [10, 10, None, None, None, 20, 20, None]


def test_unknown_value_is_a_gap_of_its_series_only(recorder: Recorder, time: Time) -> None:
    run(recorder, time, 1, cpu=None)
    assert series(0.1, 1)[-2] is None
    assert series(0.1, 1, "load_1m")[-2] == 0.5


def test_failed_and_stale_readings_are_not_recorded(recorder: Recorder, time: Time) -> None:
    for status in (SnapshotStatus.STALE, SnapshotStatus.ERROR, SnapshotStatus.UNCONFIGURED):
        recorder.record(reading(time.now, 10, status))
    assert recorder.flush() == 0


def test_empty_history_is_nulls_with_evenly_spaced_times(database: Settings, time: Time) -> None:
    answer = history.query(1, 10)
    assert [point["cpu_usage"] for point in answer["points"]] == [None] * 7
    stamps = [clock.parse_iso(point["timestamp"]) for point in answer["points"]]
    assert {b - a for a, b in pairwise(stamps)} == {timedelta(minutes=10)}


def test_longer_spans_read_coarser_tiers(database: Settings, time: Time) -> None:
    assert history.query(1, 1)["tier_s"] == 60
    assert history.query(24, 5)["tier_s"] == 60
    assert history.query(168, 60)["tier_s"] == 900
    assert history.query(720, 1)["interval_s"] == 900
    assert history.query(8760, 60)["interval_s"] == DAY_S
    assert len(history.query(8760, 60)["points"]) == 366


def test_old_points_are_pruned_and_coarser_ones_stay(recorder: Recorder, time: Time) -> None:
    run(recorder, time, 16, cpu=30, flush_every=100)
    time.now += timedelta(seconds=HOUR_S)
    assert history.prune() > 0
    assert count(RAW.step_s) == 0
    assert count(60) == 15
    assert series(2, 15)[-6] == 30


def test_second_recorder_goes_on_without_counting_twice(recorder: Recorder, time: Time) -> None:
    run(recorder, time, 2, cpu=10)
    successor = Recorder()
    run(successor, time, 2, cpu=20)
    recorder.record(reading(time.now, 30))
    recorder.flush()
    assert series(0.1, 1)[-5:] == [10, 10, 20, 20, 30]
    assert count(60) == 4


def test_points_wait_while_the_database_is_away(recorder: Recorder, time: Time, database: Settings) -> None:
    recorder.record(reading(time.now, 10))
    _use_database(database, "sqlite:////nowhere/at/all.db")
    with pytest.raises(Unavailable):
        recorder.flush()
    _use_database(database, database.database_url)
    recorder.record(reading(time.now + timedelta(seconds=2), 20))
    assert recorder.flush() == 4
    assert count(RAW.step_s) == 2


def _use_database(settings: Settings, url: str) -> None:
    db.dispose()
    use_settings(settings.model_copy(update={"database_url": url}))
