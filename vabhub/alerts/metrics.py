"""What a rule can be about: each metric with its unit, its range, and which side is bad."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class MetricName(StrEnum):
    """The metrics that rules know."""

    CPU_USAGE = "cpu_usage"
    MEMORY_USAGE = "memory_usage"
    TEMPERATURE_C = "temperature_c"
    DISK_USAGE = "disk_usage"
    DISK_FULL_IN_DAYS = "disk_full_in_days"
    SOURCE_DOWN = "source_down"
    QUEUE_OVERDUE_S = "queue_overdue_s"


@dataclass(frozen=True, slots=True)
class Metric:
    """`below`: small values are the bad ones."""

    unit: str
    lowest: float
    highest: float
    below: bool = False

    def is_broken(self, value: float, threshold: float) -> bool:
        """Return whether a value has reached the limit."""
        return value <= threshold if self.below else value >= threshold

    def is_clear(self, value: float, clear_at: float) -> bool:
        """Return whether a value is well on the good side."""
        return value >= clear_at if self.below else value <= clear_at


# Farther ahead than this a straight line says nothing.
FAR_DAYS = 3650.0
METRICS: Mapping[MetricName, Metric] = {
    MetricName.CPU_USAGE: Metric("%", 0, 100),
    MetricName.MEMORY_USAGE: Metric("%", 0, 100),
    MetricName.TEMPERATURE_C: Metric("°C", -50, 200),
    MetricName.DISK_USAGE: Metric("%", 0, 100),
    MetricName.DISK_FULL_IN_DAYS: Metric("d", 0, FAR_DAYS, below=True),
    MetricName.SOURCE_DOWN: Metric("", 0, 1),
    MetricName.QUEUE_OVERDUE_S: Metric("s", 0, 7 * 86_400),
}
