"""Somebody who delivers: a worker process, a process that hands it work, and a provider that counts."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.bench.place import Place, Tail, freeze, thaw
from tests.chaos.processes import ROOT, Process
from tests.support.waiting import wait_until

WARM_UP = 100


class Feeder:
    """The process that hands over work."""

    def __init__(self, kind: str, env: dict[str, str]) -> None:
        command = [sys.executable, "-m", "tests.bench.feeder", kind]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, cwd=ROOT, env=env, stdin=pipe, stdout=pipe, text=True)
        self._hear("ready")

    def start(self, number: int) -> None:
        """Let it hand over that many."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{number}\n")
        self._process.stdin.flush()

    def wait(self) -> None:
        """Wait until it has."""
        self._hear("done")

    def stop(self) -> None:
        """End it."""
        self._process.kill()
        self._process.communicate()

    def _hear(self, word: str) -> None:
        assert self._process.stdout is not None
        line = self._process.stdout.readline().strip()
        assert line == word, f"the feeder said {line!r} and not {word!r}"


@dataclass(slots=True)
class Contender:
    """`recorded` says whether nothing is left to write down; rates are deliveries a second, one a round;
    `cpu_ms` is what the worker itself computed for a delivery, which a busy neighbour hardly changes."""

    name: str
    worker: Process
    feeder: Feeder
    tail: Tail
    recorded: Callable[[], bool]
    drains: list[float] = field(default_factory=list)
    flows: list[float] = field(default_factory=list)
    cpu_ms: list[float] = field(default_factory=list)

    def warm_up(self) -> None:
        """Open the connections, compile the statements."""
        self._flow(WARM_UP)

    def drain(self, number: int) -> None:
        """Measure the worker alone: everything waits already, and the clock starts when it may begin."""
        freeze(self.worker)
        wanted = self.tail.count() + number
        self.feeder.start(number)
        self.feeder.wait()
        began, worked = time.perf_counter(), self._cpu_s()
        thaw(self.worker)
        self._finish(wanted)
        self.drains.append(number / (time.perf_counter() - began))
        self.cpu_ms.append((self._cpu_s() - worked) / number * 1000)

    def flow(self, number: int) -> None:
        """Measure from the first that is handed over to the last that is recorded."""
        self.flows.append(number / self._flow(number))

    def stop(self) -> None:
        """End its feeder; the worker belongs to the place."""
        self.feeder.stop()

    def _cpu_s(self) -> float:
        times = [process.cpu_times() for process in self.worker.tree()]
        return sum(one.user + one.system for one in times)

    def _flow(self, number: int) -> float:
        wanted = self.tail.count() + number
        began = time.perf_counter()
        self.feeder.start(number)
        self._finish(wanted)
        took = time.perf_counter() - began
        self.feeder.wait()
        return took

    def _finish(self, wanted: int) -> None:
        self.tail.wait_for(wanted)
        wait_until(self.recorded, every_s=0.003, what=f"{self.name}: everything is recorded")


def vabhub(place: Place) -> Contender:
    """VabHub with the place's own worker."""
    feeder = Feeder("vabhub", {**place.env, "BENCH_URL": f"{place.sink.url}/bench"})
    return Contender(
        f"VabHub, {place.backend}",
        place.worker(),
        feeder,
        Tail(place),
        recorded=lambda: place.database.unfinished() == 0,
    )


def bare_dramatiq(place: Place) -> Contender:
    """Dramatiq's own command line, one process of eight threads, on VabHub's broker settings."""
    env = {**place.env, "BENCH_URL": f"{place.sink.url}/dramatiq"}
    # Two databases further on, so that VabHub's own queues stay apart.
    env["REDIS_URL"] += "?db=4"
    command = [sys.executable, "-m", "dramatiq", "tests.bench.bare_dramatiq", "--processes", "1"]
    worker = _start(place, "dramatiq", [*command, "--threads", "8"], env, "ready for action")
    return Contender("bare Dramatiq", worker, Feeder("dramatiq", env), Tail(place), recorded=lambda: True)


def bare_celery(place: Place) -> Contender:
    """Celery's own command line, one process of eight threads, on the same Redis."""
    url = f"redis+socket://{place.redis.socket}?virtual_host=8"
    env = {**place.env, "BENCH_URL": f"{place.sink.url}/celery", "BENCH_CELERY_URL": url}
    command = [sys.executable, "-m", "celery", "--app", "tests.bench.bare_celery", "worker"]
    options = ["--pool", "threads", "--concurrency", "8", "--loglevel", "info"]
    worker = _start(place, "celery", [*command, *options], env, " ready.")
    return Contender("Celery", worker, Feeder("celery", env), Tail(place), recorded=lambda: True)


def _start(place: Place, name: str, command: list[str], env: dict[str, str], ready: str) -> Process:
    worker = Process(name, command, env, place.directory / "logs" / f"{name}.log")
    place.processes.append(worker)
    worker.wait_log(ready)
    return worker
