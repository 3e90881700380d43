"""When the next attempt is made, or that there is none."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

# Source: Standard Webhooks, "Operational considerations": 5 s, 5 min, 30 min, 2, 5, 10, 14, 20 and 24 h.
SCHEDULE_S: tuple[float, ...] = (5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400)
JITTER = 0.2
LONGEST = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class RetryPlan:
    """How often and how far apart a channel tries; a channel may have its own."""

    schedule_s: Sequence[float] = SCHEDULE_S
    max_attempts: int | None = None

    def wait(
        self, attempts: int, retry_after_s: float | None = None, *, luck: float | None = None
    ) -> timedelta | None:
        """Return how long to wait after `attempts` attempts, or None when it was the last.

        ±20 % of the schedule, never less than the provider's own Retry-After, at most 24 h. `luck` in
        0…1 stands in for chance.
        """
        if attempts >= self.last_attempt:
            return None
        steps = self.schedule_s or SCHEDULE_S
        planned_s = steps[min(attempts, len(steps)) - 1] if attempts else 0.0
        chance = random.random() if luck is None else luck  # noqa: S311 - spreads load, guards nothing
        wait_s = max(planned_s * (1 - JITTER + 2 * JITTER * chance), retry_after_s or 0.0)
        return min(timedelta(seconds=min(wait_s, LONGEST.total_seconds())), LONGEST)

    @property
    def last_attempt(self) -> int:
        """Return the number of the attempt after which a delivery is dead."""
        return self.max_attempts or len(self.schedule_s or SCHEDULE_S) + 1
