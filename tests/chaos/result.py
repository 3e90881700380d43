"""What an experiment found: the measured numbers, and every line it missed."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Size:
    """How much of it: the whole experiment, or the short form for every test run."""

    short: bool

    def pick(self, full: Any, short: Any) -> Any:
        """Return the value for this size."""
        return short if self.short else full

    @property
    def load(self) -> int:
        """How many notifications an ordinary experiment posts."""
        return int(self.pick(1500, 150))

    @property
    def load_s(self) -> float:
        """How long it takes to post them."""
        return float(self.pick(60.0, 6.0))


@dataclass(slots=True)
class Result:
    """The outcome of one experiment; it passed when no line was missed.

    `judges_time` is false in the short form, which runs beside other tests on any machine: there a time is
    measured, and only what has happened, and in which order, is judged.
    """

    experiment: str
    backend: str
    lost: int | None = None
    duplicates: int | None = None
    nonterminal: int | None = None
    illegal: int | None = None
    measured: dict[str, Any] = field(default_factory=dict)
    misses: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    cannot: str | None = None  # why this machine cannot run it
    took_s: float = 0.0
    judges_time: bool = True

    @property
    def passed(self) -> bool:
        """Whether every line was held."""
        return not self.misses

    def measure(self, **numbers: Any) -> None:
        """Keep numbers for the table."""
        for name, number in numbers.items():
            self.measured[name] = round(number, 2) if isinstance(number, float) else number

    def expect(self, held: bool, otherwise: str) -> None:
        """Note a missed line."""
        if not held:
            self.misses.append(otherwise)

    def at_most(self, name: str, number: float | None, line: float) -> None:
        """Measure a number that may not exceed a line; None means that it was never seen."""
        self.measure(**{name: number})
        self.expect(number is not None and number <= line, f"{name} is {number}, the line is {line}")

    def within(self, name: str, number: float | None, line: float) -> None:
        """Measure a time that may not exceed a line; that it came to an end at all is always judged."""
        self.measure(**{name: number})
        in_time = number is not None and (number <= line or not self.judges_time)
        self.expect(in_time, f"{name} is {number}, the line is {line}")

    def to_json(self) -> dict[str, Any]:
        """Return it for another process."""
        return asdict(self)


def quantile(values: list[float], share: float) -> float | None:
    """Return the value that `share` of all do not exceed; None without values."""
    if not values:
        return None
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
