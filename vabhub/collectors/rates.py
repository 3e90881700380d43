"""Percent and bytes/s over the interval between two samples."""

from __future__ import annotations

import time
from typing import Any

import psutil

CpuTimes = tuple[float, float]
"""Busy and total seconds of one core since boot."""
# Their bytes pass a real interface too, or none at all.
_VIRTUAL = ("lo", "veth", "docker", "br-", "virbr", "ifb", "tun", "tap", "wg", "cni", "flannel", "dummy")


class CpuSampler:
    """Measures CPU use since its previous sample; one instance lives in the scheduler.

    Two askers would cut one another's intervals short, and sleeping in a request costs the caller 100 ms.
    """

    def __init__(self) -> None:
        self._before: list[CpuTimes] | None = None

    def sample(self) -> tuple[float | None, list[float | None] | None]:
        """Return percent over all cores and per core; None on the first sample and when cores come or go."""
        now = [_busy_and_total(core) for core in psutil.cpu_times(percpu=True)]
        before, self._before = self._before, now
        if before is None or len(before) != len(now):
            return None, None
        deltas = [(b - a, t - s) for (a, s), (b, t) in zip(before, now, strict=True)]
        return _percent(sum(b for b, _ in deltas), sum(t for _, t in deltas)), [
            _percent(busy, total) for busy, total in deltas
        ]


def is_virtual(interface: str) -> bool:
    """Return whether an interface is one of the machine's inner ones, whose bytes are counted elsewhere."""
    return interface.startswith(_VIRTUAL)


def _busy_and_total(core: Any) -> CpuTimes:
    # Linux counts guest time inside user time already (proc_stat(5)).
    total = sum(core) - getattr(core, "guest", 0.0) - getattr(core, "guest_nice", 0.0)
    return total - core.idle - getattr(core, "iowait", 0.0), total


def _percent(busy: float, total: float) -> float | None:
    return round(min(100.0, max(0.0, 100 * busy / total)), 1) if total > 0 else None


class RateSampler:
    """Turns growing byte counters into bytes/s between samples."""

    def __init__(self) -> None:
        self._before: dict[str, tuple[int, int]] = {}
        self._at: float | None = None

    def sample(self, counters: dict[str, tuple[int, int]]) -> dict[str, tuple[int | None, int | None]]:
        """Return (sent, received) bytes/s a name; None for a name seen first or whose counter fell back."""
        now = time.monotonic()
        elapsed = now - self._at if self._at is not None else 0.0
        rates = {
            name: tuple(_rate(self._before.get(name), pair, side, elapsed) for side in (0, 1))
            for name, pair in counters.items()
        }
        self._before, self._at = counters, now
        return rates  # type: ignore[return-value]


def _rate(before: tuple[int, int] | None, now: tuple[int, int], side: int, elapsed_s: float) -> int | None:
    if before is None or elapsed_s <= 0 or now[side] < before[side]:
        return None
    return round((now[side] - before[side]) / elapsed_s)
