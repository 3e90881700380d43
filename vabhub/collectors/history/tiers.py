"""How fine the past is kept, and for how long."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

HOUR_S, DAY_S = 3600, 86_400


@dataclass(frozen=True, slots=True)
class Tier:
    """One point every `step_s` seconds, kept for `keep_s`."""

    step_s: int
    keep_s: int

    def bucket(self, at: int) -> int:
        """Return when the bucket begins that `at` lies in."""
        return at - at % self.step_s


# Each step is a multiple of the one before, so a bucket is made of whole buckets of the finer tier.
TIERS = (
    Tier(2, HOUR_S),
    Tier(10, DAY_S),
    Tier(60, 7 * DAY_S),
    Tier(900, 90 * DAY_S),
    Tier(DAY_S, 5 * 365 * DAY_S),
)
RAW = TIERS[0]


def tier_for(span_s: float, step_s: int) -> Tier:
    """Return the coarsest tier whose points fill buckets of `step_s` and that reaches over the span.

    Where none does both, reaching is what counts: the finest tier that reaches.
    """
    reaching = [tier for tier in TIERS if tier.keep_s >= span_s] or [TIERS[-1]]
    filling = [tier for tier in reaching if step_s % tier.step_s == 0]
    return filling[-1] if filling else reaching[0]


def rounded_step(tier: Tier, step_s: int) -> int:
    """Return the step that whole buckets of the tier fill: at least `step_s`."""
    return -(-step_s // tier.step_s) * tier.step_s


def ranges(starts: Iterable[int], step_s: int) -> list[tuple[int, int]]:
    """Return the buckets that begin at `starts` as [since, until) ranges, neighbours in one."""
    joined: list[tuple[int, int]] = []
    for start in sorted(set(starts)):
        if joined and joined[-1][1] == start:
            joined[-1] = (joined[-1][0], start + step_s)
        else:
            joined.append((start, start + step_s))
    return joined
