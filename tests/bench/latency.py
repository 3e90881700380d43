"""How long a POST takes while the workers are busy, and how soon an idle VabHub is at the provider."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from tests.bench.contender import Contender, vabhub
from tests.bench.feeder import CHANNEL
from tests.bench.figures import Report, quantiles, rounds
from tests.bench.place import BACKENDS, Place, freeze, thaw
from tests.bench.post import MESSAGE, TITLE
from tests.chaos.processes import ROOT

RATE = 100
SHARES = (0.5, 0.95, 0.99)
_APART_S = 0.15


@dataclass(slots=True)
class Measured:
    """One installation with web, worker and scheduler, and what was seen of it."""

    place: Place
    contender: Contender
    busy: list[list[float]] = field(default_factory=list)
    flat_out: list[list[float]] = field(default_factory=list)
    idle: list[list[float]] = field(default_factory=list)
    refused: int = 0

    def post_busy(self, seconds: float) -> None:
        """Post at the rate; the worker delivers as much as comes in."""
        self.busy.append(self._post(seconds))

    def post_flat_out(self, seconds: float, backlog: int) -> None:
        """Post at the rate while a backlog keeps every thread of the worker at work for all of the time."""
        freeze(self.contender.worker)
        self.contender.feeder.start(backlog)
        self.contender.feeder.wait()
        thaw(self.contender.worker)
        self.flat_out.append(self._post(seconds))

    def post_one_by_one(self, number: int) -> None:
        """Post one when all is quiet: the time from the request's start to its arrival at the provider."""
        took = []
        with self.place.client() as client:
            for _ in range(number):
                time.sleep(_APART_S)
                seen, began = self.contender.tail.count(), time.time()
                body = {"title": TITLE, "message": MESSAGE, "channels": [CHANNEL]}
                client.post("/api/notifications", json=body).raise_for_status()
                self.contender.tail.wait_for(seen + 1)
                took.append((self.contender.tail.last_at() - began) * 1000)
        self.idle.append(quantiles(took, *SHARES))

    def _post(self, seconds: float) -> list[float]:
        arguments = [str(self.place.port), self.place.token, CHANNEL, str(RATE), str(seconds)]
        command = [sys.executable, "-m", "tests.bench.poster", *arguments]
        done = subprocess.run(
            command, cwd=ROOT, env=self.place.env, capture_output=True, text=True, check=True
        )
        answers = json.loads(done.stdout)
        self.refused += sum(status != 201 for _, _, status in answers)
        found = quantiles([latency_s * 1000 for _, latency_s, _ in answers], *SHARES)
        self.place.wait_drained(timeout_s=120)
        return found


def measure(directory: Path, turns: int, *, quick: bool) -> Report:
    """Measure both databases by turns."""
    seconds, backlog, single = (3, 300, 10) if quick else (5, 600, 20)
    report = Report(f"answers to POST at {RATE} requests/s, and from POST to the provider when idle")
    with ExitStack() as stack:
        measured = [_installation(stack, directory, backend) for backend in BACKENDS]
        for one in measured:
            one.contender.warm_up()
        steps = (
            ("post_one_by_one", (single,)),
            ("post_busy", (seconds,)),
            ("post_flat_out", (seconds, backlog)),
        )
        for name, arguments in steps:
            rounds(turns, *(partial(getattr(one, name), *arguments) for one in measured))
    for one in measured:
        _report(report, one)
    report.notes.append(
        f"Open loop, counted from when a request was due. busy: the worker delivers those {RATE}/s. "
        f"flat out: {backlog} more wait,\nso that all its threads are at work all the time. "
        f"idle: {single} single POSTs a round, from the request's start to the arrival."
    )
    return report


def _installation(stack: ExitStack, directory: Path, backend: str) -> Measured:
    place = stack.enter_context(Place(directory / f"latency-{backend}", backend, web=True, schedulers=1))
    contender = vabhub(place)
    stack.callback(contender.stop)
    return Measured(place, contender)


def _report(report: Report, one: Measured) -> None:
    lines = (("busy", one.busy), ("flat out", one.flat_out))
    for what, measured in lines:
        for share, values in zip(SHARES, zip(*measured, strict=True), strict=True):
            target = {"at_most": 15.0} if share == 0.95 else {}
            report.add(f"POST, {what}, {one.place.backend}: p{share * 100:.0f}", "ms", values, **target)
    for share, values in zip(SHARES, zip(*one.idle, strict=True), strict=True):
        target = {"at_most": 40.0} if share == 0.5 else {}
        report.add(f"POST → provider, idle, {one.place.backend}: p{share * 100:.0f}", "ms", values, **target)
    if one.refused:
        report.notes.append(f"{one.place.backend}: {one.refused} requests were not answered 201")
