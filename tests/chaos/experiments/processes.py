"""1 to 3: workers are killed, asked to stop, and everything is asked to stop, again and again."""

from __future__ import annotations

import signal
import time
from pathlib import Path

from tests.chaos.audit import audit
from tests.chaos.processes import Process
from tests.chaos.result import Result, Size
from tests.chaos.site import WORKERS, Site
from tests.support.waiting import wait_until

LEASE_S = 45.0
EXIT_S = 22.0
EXIT_ALL_S = 25.0


def workers_killed(result: Result, directory: Path, size: Size) -> None:
    """kill -9 a worker every 3 s."""
    kills = size.pick(20, 2)
    with Site(directory, result.backend) as site:
        channels = site.channels()
        site.sink.rules(**{channels[0]: {"mode": "ok", "delay_s": 0.1}})
        load = site.load(size.load, size.load_s, channels).start()
        for number in range(kills):
            _wait_s(load.posts[0].due_at + 3.0)
            site.running("worker")[number % WORKERS].kill()
            site.start("worker")
        killed_at = time.monotonic()
        load.wait()
        site.wait_drained(timeout_s=LEASE_S + 45)
        result.measure(kills=kills)
        result.within("drained_s", time.monotonic() - killed_at, LEASE_S + 15 + load_rest_s(size, kills))
        audit(site, result, load.posts)
        assert result.duplicates is not None
        result.expect(result.duplicates <= 8 * kills, f"{result.duplicates} duplicates by {kills} kills")
        # Of a small load on a slow machine more is in flight at once.
        share = result.duplicates / len(load.posts)
        result.within("duplicate_share", share, 0.05)


def load_rest_s(size: Size, kills: int) -> float:
    """Return how long the load goes on after the last kill."""
    return max(0.0, size.load_s - 3.0 * kills)


def workers_asked_to_stop(result: Result, directory: Path, size: Size) -> None:
    """SIGTERM a worker, and start another."""
    rounds = size.pick(10, 3)
    slowest = 0.0
    with Site(directory, result.backend) as site:
        channels = site.channels()
        site.sink.rules(**{channels[0]: {"mode": "ok", "delay_s": 0.2}})
        load = site.load(size.load, size.load_s, channels).start()
        for number in range(rounds):
            _wait_s(size.load_s / (rounds + 1))
            worker = site.running("worker")[number % WORKERS]
            took = _stop(worker, result)
            slowest = max(slowest, took)
            site.start_worker()
        load.wait()
        result.measure(rounds=rounds)
        result.within("exit_s", slowest, EXIT_S)
        site.wait_drained(timeout_s=LEASE_S + 30)
        audit(site, result, load.posts)
        result.expect(result.duplicates == 0, f"{result.duplicates} duplicates")


def everything_asked_to_stop(result: Result, directory: Path, size: Size) -> None:
    """SIGTERM every process of every kind, repeatedly."""
    rounds = size.pick(10, 2)
    slowest: dict[str, float] = {"web": 0.0, "worker": 0.0, "scheduler": 0.0}
    with Site(directory, result.backend) as site:
        channels = site.channels()
        site.sink.rules(**{channels[0]: {"mode": "ok", "delay_s": 0.2}})
        load = site.load(size.load, size.load_s * 2, channels, give_up_s=300).start()
        for number in range(rounds):
            enough = (number + 1) * len(load.posts) // (rounds + 1)
            wait_until(lambda enough=enough: len(load.accepted) >= enough, timeout_s=120)
            for name, took in _stop_everything(site, result).items():
                slowest[name] = max(slowest[name], took)
            _start_everything(site)
        load.wait()
        result.measure(rounds=rounds)
        for name, took in slowest.items():
            result.within(f"{name}_exit_s", took, EXIT_S if name == "worker" else EXIT_ALL_S)
        site.wait_drained(timeout_s=LEASE_S + 30)
        audit(site, result, load.posts)
        result.expect(result.duplicates == 0, f"{result.duplicates} duplicates")


def _stop(worker: Process, result: Result) -> float:
    began = time.monotonic()
    worker.signal(signal.SIGTERM)
    took = worker.exited_after(began, timeout_s=EXIT_S + 10)
    result.expect(worker.code == 0, f"a worker ended with {worker.code}")
    result.expect("worker.stopped" in worker.text, "a worker gave up what was running")
    return took if took is not None else EXIT_S + 10


def _stop_everything(site: Site, result: Result) -> dict[str, float]:
    """Ask all of them again and again; return the slowest exit of each kind."""
    running = [one for name in ("web", "worker", "scheduler") for one in site.running(name)]
    slowest: dict[str, float] = {}
    began = asked = time.monotonic()
    while running and time.monotonic() - began < EXIT_ALL_S + 10:
        if time.monotonic() - asked > 0.3 or asked == began:
            asked = time.monotonic()
            for process in running:
                process.signal_all(signal.SIGTERM)
        for process in [one for one in running if one.code is not None]:
            running.remove(process)
            slowest[process.name] = time.monotonic() - began
            result.expect(not _was_killed(process), f"{process.name} was killed hard ({process.code})")
        time.sleep(0.02)
    result.expect(not running, f"still running: {[one.name for one in running]}")
    return slowest


def _was_killed(process: Process) -> bool:
    """A SIGTERM may find Python already tearing down, after the last line of its log: that is an end."""
    ended = {"worker": "worker.stopped", "scheduler": "scheduler.stopped"}.get(process.name)
    if ended is not None and ended not in process.text:
        return True
    return process.code is None or process.code == -signal.SIGKILL or "SIGKILL" in process.text


def _start_everything(site: Site) -> None:
    for _ in range(WORKERS):
        site.start("worker")
    site.start("scheduler")
    site.start_web()
    for worker in site.running("worker"):
        worker.wait_log("worker.ready")
    for scheduler in site.running("scheduler"):
        scheduler.wait_log("scheduler.started")


def _wait_s(seconds: float) -> None:
    """The rhythm of the faults is part of the experiment."""
    time.sleep(seconds)
