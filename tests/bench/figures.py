"""What was measured: every figure the median of its rounds, with the smallest and the largest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median

from tests.chaos.result import quantile


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table; a target is held by the median."""

    name: str
    unit: str
    values: tuple[float, ...]
    at_least: float | None = None
    at_most: float | None = None

    @property
    def middle(self) -> float:
        """The median of the rounds."""
        return median(self.values)

    @property
    def target(self) -> str:
        """The target in words."""
        if self.at_least is not None:
            return f"≥ {_short(self.at_least)}"
        return f"≤ {_short(self.at_most)}" if self.at_most is not None else ""

    @property
    def verdict(self) -> str:
        """Whether the target is held."""
        if not self.target:
            return ""
        low = self.at_least is not None and self.middle < self.at_least
        high = self.at_most is not None and self.middle > self.at_most
        return "MISSED" if low or high else "held"

    def row(self) -> tuple[str, ...]:
        """Return the cells of its line."""
        spread = f"{_short(min(self.values))} – {_short(max(self.values))}"
        return self.name, _short(self.middle), self.unit, spread, self.target, self.verdict


@dataclass(slots=True)
class Report:
    """The figures of one benchmark, and what has to be said about them."""

    title: str
    figures: list[Figure] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, name: str, unit: str, values: Sequence[float], **target: float) -> None:
        """Add a figure, when there is anything to it."""
        if values:
            self.figures.append(Figure(name, unit, tuple(values), **target))

    def text(self) -> str:
        """Return the table."""
        head = ("", "median", "unit", "min – max", "target", "")
        rows = [head, *(figure.row() for figure in self.figures)]
        widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
        lines = ["  ".join(_fit(row, widths)).rstrip() for row in rows]
        return "\n".join([self.title, "=" * len(self.title), *lines, *self.notes, ""])


def ratios(numerators: Sequence[float], denominators: Sequence[float]) -> list[float]:
    """Return the ratio of each round: both were measured one right after the other."""
    return [above / below for above, below in zip(numerators, denominators, strict=True)]


def quantiles(values: Sequence[float], *shares: float) -> list[float]:
    """Return the values that these shares of all do not exceed."""
    return [found for share in shares if (found := quantile(list(values), share)) is not None]


def rounds(number: int, *steps: Callable[[], None]) -> None:
    """Run the steps by turns, so that the machine's moods strike all of them; the first step changes."""
    for turn in range(number):
        first = turn % len(steps)
        for step in (*steps[first:], *steps[:first]):
            step()


def _fit(row: Sequence[str], widths: Sequence[int]) -> list[str]:
    numbers = (1, 3)
    pairs = enumerate(zip(row, widths, strict=True))
    return [cell.rjust(width) if at in numbers else cell.ljust(width) for at, (cell, width) in pairs]


def _short(number: float | None) -> str:
    if number is None:
        return "–"
    digits = 0 if abs(number) >= 100 else 1 if abs(number) >= 10 else 2
    return f"{number:.{digits}f}"
