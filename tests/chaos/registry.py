"""The table of experiments: number, fault, line, and what runs it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.chaos.experiments import (
    clocks,
    plain,
    processes,
    providers,
    redis,
    schedulers,
    sockets,
    storage,
)
from tests.chaos.result import Result, Size

Run = Callable[[Result, Path, Size], None]


@dataclass(frozen=True, slots=True)
class Experiment:
    """One row of the table.

    `alone`: its line is a latency that a neighbour would spoil. `short_s`: how long the short form takes,
    to start the longest first.
    """

    name: str
    fault: str
    line: str
    run: Run
    backends: tuple[str, ...] = ("sqlite",)
    alone: bool = False
    short_s: float = 30.0


BOTH = ("sqlite", "postgresql")
ONLY_POSTGRESQL = ("postgresql",)
_MUST_LOSE = "must lose or keep back some (control)"

EXPERIMENTS: tuple[Experiment, ...] = (
    Experiment(
        "1",
        "kill -9 a worker every 3 s",
        "dup ≤ 8 × kills, ≤ 5 %; drained ≤ 60 s",
        processes.workers_killed,
        BOTH,
        short_s=65,
    ),
    Experiment("2", "SIGTERM a worker", "exit ≤ 22 s, dup 0", processes.workers_asked_to_stop),
    Experiment(
        "3", "SIGTERM every process", "hard kills 0, dup 0, exit ≤ 25 s", processes.everything_asked_to_stop
    ),
    Experiment("4", "Redis killed, retries pending", "tried ≤ due + 35 s", redis.killed_with_retries_pending),
    Experiment("5", "Redis wiped and flushed", "dup ≤ 1 %", redis.emptied, BOTH, short_s=50),
    Experiment(
        "6",
        "Redis frozen during POSTs",
        "p99 ≤ 700 ms, all accepted; drained ≤ 60 s",
        redis.frozen,
        alone=True,
    ),
    Experiment("7", "every 50th Redis reply lost", "nothing stuck > 35 s", redis.answers_lost, short_s=50),
    Experiment(
        "8",
        "database locked or stopped",
        "503 + Retry-After, no false 201; back ≤ 10 s",
        storage.database_away,
        BOTH,
        short_s=35,
    ),
    Experiment(
        "9",
        "clock wrong by ±1 h",
        "dup ≤ in flight; no retry early by > 1 s",
        clocks.wrong_clocks,
        ONLY_POSTGRESQL,
        short_s=90,
    ),
    Experiment(
        "10", "leader of three frozen 10 s", "stale 0; seq monotonic; gap ≤ 8 s", schedulers.leader_frozen
    ),
    Experiment(
        "11",
        "500, 429, hang, reset, drip",
        "never before Retry-After; held ≤ 30 s; dup only unanswered",
        providers.failing_provider,
        short_s=90,
    ),
    Experiment("12", "one channel black-holed", "urgent p99 ≤ 2 s", providers.black_hole, alone=True),
    Experiment(
        "13",
        "payload that kills its worker",
        "dead after 3; the others delivered",
        providers.poison,
        short_s=160,
    ),
    Experiment(
        "14", "disk full, Redis full", "503 only; resumes ≤ 30 s; integrity ok", storage.full, short_s=50
    ),
    Experiment(
        "15",
        "sockets over restarts, same keys",
        "frames intact; p99 ≤ 250 ms; snapshot ≤ 2 s; rows = keys",
        sockets.many_sockets,
        alone=True,
    ),
    Experiment("plain-1", "1 on plain Dramatiq", "for comparison", plain.workers_killed, short_s=50),
    Experiment("plain-4", "4 on plain Dramatiq", _MUST_LOSE, plain.killed_with_retries_pending, short_s=60),
    Experiment("plain-5", "5 on plain Dramatiq", _MUST_LOSE, plain.emptied, short_s=50),
    Experiment("plain-7", "7 on plain Dramatiq", _MUST_LOSE, plain.answers_lost, short_s=50),
)


def find(name: str) -> Experiment:
    """Return the experiment of that name."""
    return next(experiment for experiment in EXPERIMENTS if experiment.name == name)
