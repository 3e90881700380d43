"""What one rendering may cost: steps, characters made, and time of the processor."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from vabhub.sandbox.faults import OverBudget

MOST_STEPS = 10_000
MOST_MADE_CHARACTERS = 1_000_000
LONGEST_TEXT_CHARACTERS = 65_536
LONGEST_LIST = 10_000
LONGEST_RANGE = 1_000
MOST_OUTPUT_BYTES = 65_536
MOST_CPU_S = 0.5


class Budget:
    """Counts down. Time is that of this thread's own work, so a busy machine fails no innocent template."""

    __slots__ = ("_made", "_steps", "_until")

    def __init__(self) -> None:
        self._steps = MOST_STEPS
        self._made = MOST_MADE_CHARACTERS
        self._until = time.thread_time() + MOST_CPU_S

    def step(self) -> None:
        """Pay for one turn of a loop, one filter, one operation."""
        self._steps -= 1
        if self._steps < 0:
            raise OverBudget(f"more than {MOST_STEPS:,} steps")
        if time.thread_time() > self._until:
            raise OverBudget(f"it computes for longer than {MOST_CPU_S:g} s")

    def make(self, length: int) -> None:
        """Pay for a text or a list of this length, before it is made where that can be known."""
        if length > LONGEST_TEXT_CHARACTERS:
            raise OverBudget(f"a text or a list is longer than {LONGEST_TEXT_CHARACTERS:,}")
        self._made -= length
        if self._made < 0:
            raise OverBudget("it makes too many long texts")


_budget: ContextVar[Budget] = ContextVar("template_budget")


@contextmanager
def spending() -> Iterator[Budget]:
    """Give one rendering its budget; what runs inside finds it by `current()`."""
    budget = Budget()
    mark = _budget.set(budget)
    try:
        yield budget
    finally:
        _budget.reset(mark)


def current() -> Budget:
    """Return the budget of the rendering that runs."""
    return _budget.get()
