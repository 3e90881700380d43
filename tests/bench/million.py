"""What a million notifications cost: lists, full-text search, the sweeper, and retention beside POSTs."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import httpx

from tests.bench import generate
from tests.bench.figures import Report, quantiles, rounds
from tests.bench.place import BACKENDS, Place, using
from tests.chaos.processes import ROOT
from vabhub.notify import history
from vabhub.notify.sweep import sweep_once


def _months_ago(number: int) -> str:
    return (datetime.now(UTC) - timedelta(days=30 * number)).isoformat()


REQUESTS = {
    "first page": {},
    "type=error": {"type": "error"},
    "type=info (most)": {"type": "info"},
    "status=failed": {"status": "failed"},
    "status=sent (most)": {"status": "sent"},
    "channel=chan3": {"channel": "chan3"},
    "channel=system (most)": {"channel": "system"},
    "unread": {"unread_only": "true"},
    "priority=urgent (none)": {"priority": "urgent"},
    "status=pending (none)": {"status": "pending"},
    "channel=nowhere (none)": {"channel": "nowhere"},
    "until two months ago": {"until": _months_ago(2)},
    "q, a rare word": {"q": "zanzibar"},
    "q, a common word": {"q": "library"},
    "q, three common words": {"q": "library disk movie"},
    "q, a start": {"q": "lib"},
    "q, one letter": {"q": "l"},
    "q, two characters": {"q": "下载"},
    "q, one character": {"q": "载"},
    "q, a rare Chinese word": {"q": "流浪地球"},
    "q, a rare and a common word": {"q": "zanzibar library"},
    "q, a word that is not there": {"q": "nowhere"},
    "q and type=error": {"q": "library", "type": "error"},
}
DUE = 500
POST_RATE = 20
ENOUGH_S = 2.0
HOPELESS_MS = 1000.0
BLOCKED_MS = 50.0


@dataclass(slots=True)
class Full:
    """An installation with a web process, no worker, and a great many notifications."""

    place: Place
    lists: dict[str, list[float]] = field(default_factory=dict)
    sweeps: dict[str, list[float]] = field(default_factory=dict)
    retention: dict[str, list[float]] = field(default_factory=dict)
    notes: set[str] = field(default_factory=set)

    def ask(self, name: str, number: int) -> None:
        """Ask for one list again and again: the p95 of a round. What is hopeless is not asked in each."""
        if min(self.lists.get(name, [0.0])) > HOPELESS_MS:
            return
        with self.place.client() as client:
            took = _timed_until(lambda: _get(client, REQUESTS[name]), number)
        self.lists.setdefault(name, []).extend(quantiles(took, 0.95))

    def sweep(self, number: int) -> None:
        """Sweep with nothing to do, and once with as many due as one sweep takes."""
        with using(self.place):
            sweep_once()
            idle = statistics.median(_timed(sweep_once) for _ in range(number))
            generate.make_due(self.place.database, DUE)
            busy = _timed(sweep_once)
        self.sweeps.setdefault("idle", []).append(idle)
        self.sweeps.setdefault(f"{DUE} due", []).append(busy)

    def retain(self, number: int) -> None:
        """Delete what is old beside a steady load of POSTs; the load alone comes first."""
        alone = self._post(2.0, None)
        generate.age(self.place.database, number)
        deleting = self._post(6.0, history.purge_deleted)
        self.retention.setdefault("POST alone: slowest", []).append(max(alone))
        self.retention.setdefault("POST beside it: slowest", []).append(max(deleting))
        blocked = max(deleting) - max(alone)
        self.retention.setdefault("so it blocks a POST for", []).append(max(0.0, blocked))

    def _post(self, seconds: float, purge: Callable[[], int] | None) -> list[float]:
        arguments = [str(self.place.port), self.place.token, "system", str(POST_RATE), str(seconds)]
        command = [sys.executable, "-m", "tests.bench.poster", *arguments]
        process = subprocess.Popen(command, cwd=ROOT, env=self.place.env, stdout=subprocess.PIPE, text=True)
        with using(self.place):
            if purge is not None:
                self._purge(purge, process)
        answers = json.loads(process.communicate()[0])
        return [latency_s * 1000 for _, latency_s, _ in answers]

    def _purge(self, purge: Callable[[], int], process: subprocess.Popen[str]) -> None:
        slices, removed = [], 0
        while process.poll() is None:
            began = time.perf_counter()
            number = purge()
            if not number:
                break
            removed += number
            slices.append((time.perf_counter() - began) * 1000)
            threading.Event().wait(0.01)
        self.retention.setdefault("a slice: median", []).append(statistics.median(slices))
        self.retention.setdefault("a slice: slowest", []).append(max(slices))
        self.retention.setdefault("rows a slice", []).append(removed / len(slices))


def measure(directory: Path, turns: int, *, quick: bool) -> Report:
    """Fill both databases, then measure both by turns."""
    rows, asks = (20_000, 10) if quick else (1_000_000, 30)
    report = Report(f"{rows:,} notifications in the table")
    with ExitStack() as stack:
        fulls = [_full(stack, directory, backend, rows, report) for backend in BACKENDS]
        for name in REQUESTS:
            rounds(turns, *(partial(full.ask, name, asks) for full in fulls))
        rounds(turns, *(partial(full.sweep, 20) for full in fulls))
        rounds(turns, *(partial(full.retain, 8000) for full in fulls))
        report.notes.append(
            f"lists: p95 of {asks} requests over HTTP, of fewer where {ENOUGH_S:.0f} s are not enough. "
            f"Retention: the oldest rows, beside {POST_RATE} POSTs/s."
        )
    for full in fulls:
        _report(report, full)
    return report


def _full(stack: ExitStack, directory: Path, backend: str, rows: int, report: Report) -> Full:
    place = stack.enter_context(Place(directory / f"million-{backend}", backend, web=True, workers=0))
    took, indexed = generate.fill(place, rows)
    size = f"{generate.size_mb(place):.0f} MB"
    report.notes.append(f"{backend}: filled in {took:.0f} s, words indexed in {indexed:.0f} s, {size}")
    return Full(place)


def _report(report: Report, full: Full) -> None:
    name = full.place.backend
    for what, values in full.lists.items():
        report.add(f"{name}: list, {what}: p95", "ms", values, at_most=50.0)
    for what, values in full.sweeps.items():
        target = {"at_most": 10.0} if what == "idle" else {}
        report.add(f"{name}: sweep, {what}", "ms", values, **target)
    for what, values in full.retention.items():
        target = {"at_most": BLOCKED_MS} if what.startswith("so") else {}
        report.add(f"{name}: deleting, {what}", "rows" if what.startswith("rows") else "ms", values, **target)


def _get(client: httpx.Client, query: dict[str, str]) -> None:
    client.get("/api/notifications", params=query).raise_for_status()


def _timed_until(what: Callable[[], object], number: int) -> list[float]:
    """Time it so many times, or fewer when it is slow: two seconds are enough."""
    until, took = time.monotonic() + ENOUGH_S, list[float]()
    while not took or (len(took) < number and time.monotonic() < until):
        took.append(_timed(what))
    return took


def _timed(what: Callable[[], object]) -> float:
    began = time.perf_counter()
    what()
    return (time.perf_counter() - began) * 1000
