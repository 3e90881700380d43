"""What is wrong with a template, and in which line."""

from __future__ import annotations

from vabhub.errors import VabHubError

_LONGEST_REASON = 300


class TemplateFault(VabHubError):
    """A template that cannot be read or not be rendered.

    `line` counts from 1, None where there is none; `missing` says that a value was not there.
    """

    def __init__(self, reason: str, line: int | None = None, *, missing: bool = False) -> None:
        self.missing = missing
        self.reason = " ".join(reason.split())[:_LONGEST_REASON]
        self.line = line
        super().__init__(self.reason if line is None else f"line {line}: {self.reason}")


class OverBudget(Exception):
    """Raised inside a rendering that costs more than it may; becomes a TemplateFault with its line."""
