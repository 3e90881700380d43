"""In how many days a disk is full: a line through what the history knows, or nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from vabhub import clock
from vabhub.alerts.metrics import FAR_DAYS
from vabhub.alerts.trend import days_until_full, extrapolate
from vabhub.collectors.base import Snapshot, Source
from vabhub.collectors.history import Recorder
from vabhub.settings import Settings

START = datetime(2026, 3, 1, tzinfo=UTC)
GB = 1e9


def line(days: float, free: float, a_day: float) -> list[tuple[float, float]]:
    return [(hour / 24, free + a_day * hour / 24) for hour in range(int(days * 24) + 1)]


def test_a_disk_that_fills_evenly_is_full_when_the_line_says() -> None:
    assert extrapolate(line(5, 100 * GB, -10 * GB)) == pytest.approx(5)


@pytest.mark.parametrize("a_day", [0.0, 10 * GB])
def test_a_disk_that_does_not_fill_is_far(a_day: float) -> None:
    assert extrapolate(line(5, 100 * GB, a_day)) == FAR_DAYS


@pytest.mark.parametrize("points", [[], line(0.5, GB, -GB), line(5, GB, -1)[:5]])
def test_too_short_a_past_says_nothing(points: list[tuple[float, float]]) -> None:
    assert extrapolate(points) is None


def test_the_history_tells_each_disk(database: Settings) -> None:
    now = START
    recorder = Recorder()
    with clock.frozen(lambda: now):
        for hour in range(73):
            now = START + timedelta(hours=hour)
            disks = [{"mount": "/data", "free_bytes": 100 * GB - hour * GB}]
            if hour < 40:
                disks.append({"mount": "/gone", "free_bytes": GB})
            recorder.record(Snapshot(Source.SYSTEM, now, data={"disks": disks}))
            recorder.flush()
        found = days_until_full()
    assert found["/data"] == pytest.approx(28 / 24, rel=0.01)
    assert found["/gone"] is None
