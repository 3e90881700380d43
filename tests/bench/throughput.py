"""Deliveries a second, from accepted to recorded, beside Dramatiq and Celery with the same POST."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from pathlib import Path

from tests.bench.contender import Contender, bare_celery, bare_dramatiq, vabhub
from tests.bench.figures import Report, ratios, rounds
from tests.bench.place import BACKENDS, Place

TITLE = "deliveries a second: one worker process, 8 threads, local keep-alive provider"


def measure(directory: Path, turns: int, *, quick: bool) -> Report:
    """Measure all four by turns."""
    number = 200 if quick else 400
    report = Report(TITLE)
    with ExitStack() as stack:
        ours, dramatiq, celery = _contenders(stack, directory)
        everyone = [*ours, dramatiq, celery]
        for contender in everyone:
            contender.warm_up()
        rounds(turns, *(partial(contender.drain, number) for contender in everyone))
        rounds(turns, *(partial(contender.flow, number) for contender in everyone))
    _report(report, ours, dramatiq, celery)
    report.notes.append(
        f"{number} a round. drain: all of them wait, the clock starts when the worker may begin. "
        "flow: one process hands them over meanwhile,\nfor VabHub a durable accept() each, "
        "and the clock starts with the first. The yardsticks write nothing down and sync nothing."
    )
    return report


def _contenders(stack: ExitStack, directory: Path) -> tuple[list[Contender], Contender, Contender]:
    places = [stack.enter_context(Place(directory / f"throughput-{one}", one)) for one in BACKENDS]
    ours = [vabhub(place) for place in places]
    dramatiq, celery = bare_dramatiq(places[0]), bare_celery(places[0])
    for contender in (*ours, dramatiq, celery):
        stack.callback(contender.stop)
    return ours, dramatiq, celery


def _report(report: Report, ours: list[Contender], dramatiq: Contender, celery: Contender) -> None:
    for contender in (*ours, dramatiq, celery):
        report.add(f"worker's CPU a delivery: {contender.name}", "ms", contender.cpu_ms)
    for what in ("drains", "flows"):
        mode = what[:-1]
        for contender in (*ours, dramatiq, celery):
            report.add(f"{mode}: {contender.name}", "/s", getattr(contender, what))
        for contender in ours:
            mine = getattr(contender, what)
            against = ratios(mine, getattr(dramatiq, what))
            report.add(f"{mode}: {contender.name} / bare Dramatiq", "×", against, at_least=0.5)
            report.add(
                f"{mode}: {contender.name} / Celery", "×", ratios(mine, getattr(celery, what)), at_least=1.0
            )
