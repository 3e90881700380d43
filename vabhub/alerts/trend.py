"""When a disk will be full: a straight line through the last week of its free space."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import linear_regression

from vabhub.alerts.metrics import FAR_DAYS
from vabhub.clock import parse_iso
from vabhub.collectors import history

HOURS = 7 * 24
# Less than a day shows one evening's download, not a trend.
_FEWEST_POINTS = 12
_SHORTEST_DAYS = 1.0
_SEEN_WITHIN_DAYS = 0.15
_DAY_S = 86_400

Point = tuple[float, float]
"""Time in days, free bytes."""


def days_until_full() -> dict[str, float | None]:
    """Return the days by mount; None where the past is too short, `FAR_DAYS` where it does not fill."""
    names = [one["name"] for one in history.known_series() if one["kind"] == "disk_free_bytes"]
    if not names:
        return {}
    points = history.query(HOURS, 60, series=names)["points"]
    days = [parse_iso(point["timestamp"]).timestamp() / _DAY_S for point in points]
    found: dict[str, float | None] = {}
    for name in names:
        pairs = zip(days, (point[name] for point in points), strict=True)
        known = [(day, free) for day, free in pairs if free is not None]
        is_there = bool(known) and days[-1] - known[-1][0] < _SEEN_WITHIN_DAYS
        found[name.partition(":")[2]] = extrapolate(known) if is_there else None
    return found


def extrapolate(points: Sequence[Point]) -> float | None:
    """Return in how many days the line is at zero, from the newest point on; None for too short a past."""
    if len(points) < _FEWEST_POINTS or points[-1][0] - points[0][0] < _SHORTEST_DAYS:
        return None
    slope, _ = linear_regression([day for day, _ in points], [free for _, free in points])
    if slope >= 0:
        return FAR_DAYS
    return min(FAR_DAYS, points[-1][1] / -slope)
