"""A clock that stands still until it is told to go on."""

from __future__ import annotations


class ManualClock:
    """Seconds since 1970, as `time.time` tells them."""

    def __init__(self, start_s: float = 1_790_000_000.0) -> None:
        self.now_s = start_s

    def __call__(self) -> float:
        return self.now_s

    def forward(self, seconds: float) -> None:
        """Let time pass."""
        self.now_s += seconds
