"""Where the time of one delivery goes: `deliver()` step by step in one thread, statements counted."""

from __future__ import annotations

import functools
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib import import_module
from pathlib import Path
from statistics import median
from typing import Any
from unittest.mock import patch

from sqlalchemy import event

from tests.bench.feeder import CHANNEL
from tests.bench.figures import Report
from tests.bench.place import BACKENDS, Place, using
from tests.bench.post import MESSAGE, SECRET, TITLE
from vabhub.db import get_engine, transaction
from vabhub.log import configure_logging
from vabhub.notify import send
from vabhub.notify.accept import NewNotification, accept
from vabhub.notify.channels_admin import NewChannel, create_channel

# (what it is, module, name): each is timed from outside, so a step holds what it calls.
STEPS = (
    ("claim", "vabhub.notify.send", "claim"),
    ("open the channel's settings", "vabhub.notify.send", "open_settings"),
    ("make the channel", "vabhub.channels.registry", "make"),
    ("send (the POST itself)", "vabhub.notify.send", "_send"),
    ("redact", "vabhub.notify.send", "redact"),
    ("record", "vabhub.notify.send", "finish"),
    ("  of it: tell the live page", "vabhub.db", "_run_after_commit"),
)


class Clock:
    """Adds up the processor's and the wall's time of each step."""

    def __init__(self) -> None:
        self.cpu: defaultdict[str, float] = defaultdict(float)
        self.wall: defaultdict[str, float] = defaultdict(float)
        self.counted: Counter[str] = Counter()

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time a block."""
        cpu, wall = time.thread_time(), time.perf_counter()
        try:
            yield
        finally:
            self.cpu[name] += time.thread_time() - cpu
            self.wall[name] += time.perf_counter() - wall

    def around(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        """Return `call`, timed."""

        @functools.wraps(call)
        def timed(*arguments: Any, **named: Any) -> Any:
            with self.step(name):
                return call(*arguments, **named)

        return timed

    @contextmanager
    def counting(self, engine: Any) -> Iterator[None]:
        """Count the statements and commits of this engine meanwhile."""
        listeners = (("before_cursor_execute", self._statement), ("commit", self._commit))
        for name, listener in listeners:
            event.listen(engine, name, listener)
        yield
        for name, listener in listeners:
            event.remove(engine, name, listener)

    def _statement(self, _connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        self.counted["statements"] += not statement.startswith("BEGIN")

    def _commit(self, _connection: Any) -> None:
        self.counted["commits"] += 1


def measure(directory: Path, turns: int, *, quick: bool) -> Report:
    """Deliver one after another, in this process and one thread."""
    number = 30 if quick else 150
    configure_logging(process="bench", level="warning", json_lines=True)
    report = Report("where the time of one delivery goes (one thread, one after another)")
    for backend in BACKENDS:
        place = Place(directory / f"steps-{backend}", backend, workers=0)
        with place, using(place):
            clocks = _clocks(place, turns, number)
        _report(report, backend, clocks, number)
    report.notes.append(
        f"{number} deliveries a round. A step's CPU; wall is with waiting for disk and network."
    )
    return report


def _clocks(place: Place, turns: int, number: int) -> list[Clock]:
    settings = {"url": f"{place.sink.url}/bench", "secret": SECRET}
    with transaction() as session:
        create_channel(session, NewChannel(name=CHANNEL, kind="webhook", settings=settings))
    _round(number)
    return [_round(number) for _ in range(turns)]


def _round(number: int) -> Clock:
    clock = Clock()
    accepted = [_accept(clock) for _ in range(number)]
    with clock.counting(get_engine()), ExitStack() as stack:
        for name, module, attribute in STEPS:
            original = getattr(import_module(module), attribute)
            stack.enter_context(patch(f"{module}.{attribute}", clock.around(name, original)))
        for delivery_id in accepted:
            with clock.step("all of it"):
                send.deliver(delivery_id)
    return clock


def _accept(clock: Clock) -> int:
    request = NewNotification(title=TITLE, message=MESSAGE, channels=[CHANNEL])
    with clock.step("accept (the domain's part of a POST)"), transaction() as session:
        accepted = accept(session, request, source="bench")
    return int(accepted.deliveries[0]["id"])


def _report(report: Report, backend: str, clocks: list[Clock], number: int) -> None:
    names = ["accept (the domain's part of a POST)", "all of it", *(name for name, *_ in STEPS)]
    for name in names:
        cpu = [clock.cpu[name] / number * 1000 for clock in clocks]
        wall = median(clock.wall[name] / number * 1000 for clock in clocks)
        share = median(clock.cpu[name] / clock.cpu["all of it"] for clock in clocks)
        of_all = "" if name.startswith("accept") else f", {share:.0%}"
        report.add(f"{backend}: {name} (wall {wall:.2f} ms{of_all})", "ms", cpu)
    for what in ("statements", "commits"):
        report.add(f"{backend}: {what} a delivery", "", [clock.counted[what] / number for clock in clocks])
