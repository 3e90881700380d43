"""What a value does to an alert: for how long, hysteresis, and nothing for what is not known."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from vabhub.alerts.judge import Change, Limit, Standing, Status, judge
from vabhub.alerts.metrics import MetricName

START = datetime(2026, 3, 1, tzinfo=UTC)
DISK = Limit(MetricName.DISK_USAGE, threshold=95, clear_at=90, for_s=60, clear_s=30)
STEP_S = 15

Told = list[tuple[int, Change]]


def run(values: list[float | None], limit: Limit = DISK, every_s: float = STEP_S) -> Told:
    """Judge the values one after another as the checker does; return what is told, with its place."""
    standing: Standing | None = None
    told = []
    for number, value in enumerate(values):
        now = START + timedelta(seconds=number * every_s)
        verdict = judge(limit, standing, value, now)
        if verdict.change in (Change.FIRE, Change.RESOLVE):
            told.append((number, verdict.change))
        standing = _next(standing, verdict.change, verdict.held_s, now)
    return told


def _next(standing: Standing | None, change: Change, held_s: float | None, now: datetime) -> Standing | None:
    if change is Change.NONE:
        return standing
    if change in (Change.DROP, Change.RESOLVE):
        return None
    status = Status.PENDING if change is Change.BEGIN or standing is None else standing.status
    return Standing(Status.FIRING if change is Change.FIRE else status, held_s, now)


def test_it_fires_once_after_its_minutes() -> None:
    assert run([96] * 20) == [(4, Change.FIRE)]


def test_a_short_peak_tells_nobody() -> None:
    assert run([96, 96, 96, 80, 96, 96, 96, 80]) == []


def test_it_is_over_once_it_is_clear_for_long_enough() -> None:
    assert run([96] * 5 + [80] * 5) == [(4, Change.FIRE), (7, Change.RESOLVE)]


def test_between_the_limits_nothing_changes() -> None:
    assert run([96] * 5 + [92] * 100) == [(4, Change.FIRE)]
    assert run([92] * 100) == []


def test_flapping_around_the_limit_is_told_once() -> None:
    assert run([96] * 5 + [94, 96, 93, 97] * 50) == [(4, Change.FIRE)]
    assert run([96] * 5 + [80, 96] * 50) == [(4, Change.FIRE)]


def test_unknown_values_neither_fire_nor_resolve() -> None:
    assert run([None] * 100) == []
    assert run([96] + [None] * 100) == []
    assert run([96] * 5 + [None] * 100) == [(4, Change.FIRE)]


def test_time_that_is_not_known_does_not_count() -> None:
    assert run([96, 96] + [None] * 100 + [96]) == []
    assert run([96, 96, 96], every_s=3600) == []


def test_small_is_bad_where_days_are_left() -> None:
    days = Limit(MetricName.DISK_FULL_IN_DAYS, threshold=7, clear_at=10, for_s=15, clear_s=15)
    assert run([30, 8, 6, 5, 8, 9, 11, 12], days) == [(3, Change.FIRE), (7, Change.RESOLVE)]


@given(some.lists(some.one_of(some.none(), some.floats(0, 100)), max_size=80))
def test_it_is_told_by_turns_and_never_for_an_unknown_value(values: list[float | None]) -> None:
    told = run(values)
    assert [change for _, change in told] == [Change.FIRE, Change.RESOLVE] * (len(told) // 2) + [
        Change.FIRE
    ] * (len(told) % 2)
    for place, change in told:
        value = values[place]
        assert value is not None
        assert value >= DISK.threshold if change is Change.FIRE else value <= DISK.clear_at


@pytest.mark.parametrize("value", [95, 100])
def test_the_limit_itself_is_reached(value: float) -> None:
    assert judge(DISK, None, value, START).change is Change.BEGIN
