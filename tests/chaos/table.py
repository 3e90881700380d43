"""Draws the table of results."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from tests.chaos.registry import find
from tests.chaos.result import Result


def draw(results: Sequence[Result]) -> str:
    """Return the measured numbers against the lines, and below it every miss."""
    head = ("#", "fault", "database", "lost", "dup", "open", "illegal", "measured", "line", "")
    rows = [head, *(_row(result) for result in results)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    failed = [f"{one.experiment} {one.backend}: {miss}" for one in results for miss in one.misses]
    notes = [f"{one.experiment} {one.backend}: {note}" for one in results for note in one.notes]
    said = "all lines held" if not failed else f"{len(failed)} lines missed"
    return "\n".join([*(line.rstrip() for line in lines), "", *notes, *failed, said, ""])


def write_json(results: Sequence[Result], path: Path) -> None:
    """Write the results for a program."""
    path.write_text(json.dumps([result.to_json() for result in results], default=str), encoding="utf-8")


def _row(result: Result) -> tuple[str, ...]:
    experiment = find(result.experiment)
    numbers = ("–" if number is None else str(number) for number in _counts(result))
    measured = " ".join(f"{name}={value}" for name, value in result.measured.items())
    verdict = "cannot" if result.cannot else "pass" if result.passed else "MISS"
    return (result.experiment, experiment.fault, result.backend, *numbers, measured, experiment.line, verdict)


def _counts(result: Result) -> tuple[int | None, ...]:
    return result.lost, result.duplicates, result.nonterminal, result.illegal
