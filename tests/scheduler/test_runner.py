"""Each job has a slot of its own."""

from __future__ import annotations

import threading
import time

from scheduler.jobs import Job
from scheduler.runner import Runner
from tests.support.waiting import wait_until
from vabhub.errors import Unavailable


def test_hanging_and_failing_jobs_delay_no_other() -> None:
    release = threading.Event()
    runs = {"hang": 0, "fail": 0, "good": 0}

    def hang() -> None:
        runs["hang"] += 1
        release.wait()

    def fail() -> None:
        runs["fail"] += 1
        raise (RuntimeError if runs["fail"] % 2 else Unavailable)("on purpose")

    def good() -> None:
        runs["good"] += 1

    runner = Runner([Job("hang", 0.05, hang), Job("fail", 0.05, fail), Job("good", 0.05, good)])
    runner.start()
    try:
        wait_until(lambda: runs["good"] >= 5 and runs["fail"] >= 5, timeout_s=10)
        assert runs["hang"] == 1
        began = time.monotonic()
        assert runner.stop(within_s=0.2) == ["hang"]
        assert time.monotonic() - began < 1
    finally:
        release.set()


def test_stopped_runner_starts_nothing_more() -> None:
    runs: list[float] = []
    runner = Runner([Job("count", 0.05, lambda: runs.append(time.monotonic()))])
    runner.start()
    wait_until(lambda: len(runs) >= 2)
    assert runner.stop(within_s=2) == []
    stopped_at = time.monotonic()
    wait_until(lambda: time.monotonic() - stopped_at > 0.2)
    assert max(runs) <= stopped_at
