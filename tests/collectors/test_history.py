"""History in tiers: what was measured is kept, what was not stays a gap. On SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from sqlalchemy import func, select, text

from vabhub import clock, db, migrate
from vabhub.collectors import history
from vabhub.collectors.base import Snapshot, SnapshotStatus, Source
from vabhub.collectors.history import DAY_S, HOUR_S, RAW, Recorder
from vabhub.collectors.history.series import KINDS
from vabhub.errors import Unavailable
from vabhub.models import MetricPoint, MetricSeries
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
        cpu = select(MetricSeries.id).where(MetricSeries.name == "cpu_usage").scalar_subquery()
        found = select(func.count()).where(MetricPoint.tier_s == tier_s, MetricPoint.series_id == cpu)
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
    assert count(RAW.step_s) == 5  # the last ten seconds: no coarser tier holds them yet
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


def test_every_interval_has_its_lowest_and_highest(recorder: Recorder, time: Time) -> None:
    for cpu in (10, 70, 40):
        recorder.record(reading(time.now, cpu))
        time.now += timedelta(seconds=2)
    recorder.flush()
    point = history.query(1, 1)["points"][-1]
    assert (point["cpu_usage_min"], point["cpu_usage"], point["cpu_usage_max"]) == (10, 40, 70)
    assert history.query(1, 1)["points"][-2]["cpu_usage_min"] is None


def test_late_points_are_added_to_the_tiers_that_are_filled(recorder: Recorder, time: Time) -> None:
    late = [reading(time.now + timedelta(minutes=2, seconds=2 * n), 100) for n in range(30)]
    run(recorder, time, 2, cpu=10)
    time.now += timedelta(minutes=1)
    run(recorder, time, 2, cpu=20)
    assert series(0.1, 1)[-6:] == [10, 10, None, 20, 20, None]
    for one in late:
        recorder.record(one)
    recorder.flush()
    assert series(0.1, 1)[-6:] == [10, 10, 100, 20, 20, None]
    assert count(60) == 4  # the fifth minute is not over


def test_point_that_was_pruned_away_does_not_come_again(recorder: Recorder, time: Time) -> None:
    early = reading(time.now, 100)
    run(recorder, time, 16, cpu=30, flush_every=100)
    time.now += timedelta(hours=2)
    history.prune()
    recorder.record(early)
    assert recorder.flush() == 0
    assert series(3, 15)[-10:-8] == [30, 30]


def test_parts_have_a_past_when_they_are_asked_for(recorder: Recorder, time: Time) -> None:
    recorder.record(machine(time.now, disks={"/data": 5e9}, interfaces={"eth0": 100, "veth1": 7}))
    recorder.flush()
    names = [one["name"] for one in history.known_series()]
    assert names == ["disk_free_bytes:/data", "interface_recv_bps:eth0", "temperature_c:cpu/Core 0"]
    point = history.query(1, 1, series=["disk_free_bytes:/data", "disk_free_bytes:/nowhere"])["points"][-1]
    assert point["disk_free_bytes:/data"] == 5e9
    assert point["disk_free_bytes:/nowhere"] is None
    assert "interface_recv_bps:eth0" not in point


def test_parts_are_kept_every_ten_seconds(recorder: Recorder, time: Time) -> None:
    for _ in range(10):
        recorder.record(machine(time.now, disks={"/data": 5e9}))
        time.now += timedelta(seconds=2)
    assert recorder.flush() == 4  # a disk and a sensor, twice


def test_the_number_of_parts_is_bounded(recorder: Recorder, time: Time) -> None:
    recorder.record(machine(time.now, disks={f"/mnt/{number}": 1 for number in range(500)}))
    recorder.flush()
    kinds = [one["kind"] for one in history.known_series()]
    assert kinds.count("disk_free_bytes") == KINDS["disk_free_bytes"][1]


def test_part_that_is_gone_for_good_makes_room(recorder: Recorder, time: Time) -> None:
    recorder.record(machine(time.now, disks={"/usb": 1}))
    recorder.flush()
    time.now += timedelta(days=91)
    recorder.record(machine(time.now, disks={"/data": 1}))
    recorder.flush()
    history.prune()
    assert "disk_free_bytes:/usb" not in [one["name"] for one in history.known_series()]
    assert "disk_free_bytes:/data" in [one["name"] for one in history.known_series()]


def test_names_fit_whatever_a_mount_is_called(recorder: Recorder, time: Time) -> None:
    recorder.record(machine(time.now, disks={"/mnt/" + "x" * 4000: 1, "/mnt/\udcff": 1}))
    assert recorder.flush() == 3


def test_a_client_that_is_away_does_not_hide_the_others(recorder: Recorder, time: Time) -> None:
    downloaders = {
        "home": {"status": "online", "dl_info_speed": 5, "up_info_speed": None},
        "away": {"status": "offline", "dl_info_speed": None, "up_info_speed": None},
    }
    data = {"download_bps": 5, "downloaders": downloaders}
    recorder.record(Snapshot(Source.DOWNLOADS, time.now, SnapshotStatus.STALE, data=data))
    recorder.flush()
    assert [one["name"] for one in history.known_series()] == ["download_bps:home"]


def test_a_clock_that_was_far_ahead_leaves_today_alone(recorder: Recorder, time: Time) -> None:
    time.now += timedelta(days=400)
    run(recorder, time, 2, cpu=90)
    time.now += timedelta(hours=2)
    history.prune()
    time.now = START
    run(recorder, time, 2, cpu=10)
    assert series(0.1, 1)[-3:-1] == [10, 10]


def machine(at: datetime, disks: dict[str, float], interfaces: dict[str, float] | None = None) -> Snapshot:
    data = {
        "disks": [{"mount": mount, "free_bytes": free} for mount, free in disks.items()],
        "interfaces": [{"name": name, "recv_bps": bps} for name, bps in (interfaces or {}).items()],
        "temperatures": [
            {"sensor": "cpu", "label": "Core 0", "celsius": 40.0},
            {"sensor": "cpu", "label": "Core 1", "celsius": None},
        ],
    }
    return Snapshot(Source.SYSTEM, at, data=data)


def _use_database(settings: Settings, url: str) -> None:
    db.dispose()
    use_settings(settings.model_copy(update={"database_url": url}))


def test_points_of_an_older_version_are_kept(database: Settings, time: Time) -> None:
    at = int(START.timestamp()) - 600
    old = "INSERT INTO metric_point (series, tier_s, at, min, avg, max, n) VALUES"
    migrate.downgrade("0008")
    with db.transaction() as session:
        session.execute(
            text(f"{old} ('cpu_usage', 60, {at}, 10, 20, 30, 30), ('load_1m', 2, {at + 60}, 1, 1, 1, 1)")
        )
    migrate.upgrade()
    points = {point["timestamp"]: point for point in history.query(1, 1)["points"]}
    (cpu,) = [point for point in points.values() if point["cpu_usage"] is not None]
    assert (cpu["cpu_usage_min"], cpu["cpu_usage"], cpu["cpu_usage_max"]) == (10, 20, 30)
    assert [point["load_1m"] for point in points.values() if point["load_1m"] is not None] == [1]
    migrate.downgrade("0008")
    with db.reading() as session:
        assert session.scalar(text("SELECT count(*) FROM metric_point WHERE series = 'cpu_usage'")) == 1
    migrate.upgrade()
