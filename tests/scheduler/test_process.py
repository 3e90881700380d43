"""`python -m scheduler` as the Procfile starts it, through outages and to its end."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

import pytest

from tests.support.redis import RedisServer
from tests.support.waiting import wait_until
from vabhub.events import bus
from vabhub.events.topics import Topic
from vabhub.settings import get_settings

ROOT = Path(__file__).resolve().parents[2]


class Scheduler:
    """One real scheduler process."""

    def __init__(self, directory: Path, redis_url: str, **env: str) -> None:
        self.log = directory / f"scheduler-{time.monotonic_ns()}.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "scheduler"],
                cwd=ROOT,
                env={
                    "PATH": os.environ["PATH"],
                    "PYTHONDONTWRITEBYTECODE": "1",
                    "VABHUB_DATA_DIR": str(directory / "data"),
                    "REDIS_URL": redis_url,
                    "VABHUB_SYSTEM_INTERVAL_S": "0.2",
                    "VABHUB_DASHBOARD_INTERVAL_S": "0.5",
                    **env,
                },
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def stop(self, number: signal.Signals = signal.SIGTERM) -> float:
        """Ask it to end; return the seconds it took."""
        began = time.monotonic()
        self.process.send_signal(number)
        assert self.process.wait(timeout=10) == 0, self.log.read_text()
        return time.monotonic() - began

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
        self.process.wait()


@pytest.fixture
def start(
    tmp_path: Path, own_redis: RedisServer, sqlite_template: bytes
) -> Iterator[Callable[..., Scheduler]]:
    (get_settings().data_dir / "vabhub.db").write_bytes(sqlite_template)
    with ExitStack() as stack:
        yield lambda **env: stack.enter_context(Scheduler(tmp_path, own_redis.url, **env))


def last(topic: Topic) -> dict[str, Any] | None:
    return bus.last(topic)


def newer_than(topic: Topic, seq: int) -> dict[str, Any]:
    """Wait for the next value of a topic."""

    def newer() -> dict[str, Any] | None:
        value = last(topic)
        return value if value is not None and value["seq"] > seq else None

    found = wait_until(newer, timeout_s=20, what=f"a newer {topic}")
    assert found is not None
    return found


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_publishes_and_stops_within_2_s(start: Callable[..., Scheduler], number: signal.Signals) -> None:
    scheduler = start()
    first = newer_than(Topic.SYSTEM, 0)
    second = newer_than(Topic.SYSTEM, first["seq"])
    assert second["data"]["cpu_usage"] is not None
    assert second["meta"]["source"] == "system"
    dashboard = newer_than(Topic.DASHBOARD, 0)
    assert dashboard["data"]["active_subscriptions"] is None
    assert dashboard["meta"]["sources"]["system"]["status"] == "ok"
    assert scheduler.stop(number) < 2


def test_signals_until_the_very_end_do_not_kill_it(start: Callable[..., Scheduler]) -> None:
    scheduler = start()
    newer_than(Topic.SYSTEM, 0)
    while scheduler.process.poll() is None:
        scheduler.process.send_signal(signal.SIGTERM)
    assert scheduler.process.returncode == 0, scheduler.log.read_text()
    assert "scheduler.stopped" in scheduler.log.read_text()


def test_source_that_hangs_delays_neither_the_others_nor_the_stop(start: Callable[..., Scheduler]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        scheduler = start(VABHUB_QBITTORRENT_URL=url, VABHUB_QBITTORRENT_PASSWORD="x")
        seq = newer_than(Topic.SYSTEM, 0)["seq"]
        for _ in range(5):
            seq = newer_than(Topic.SYSTEM, seq)["seq"]
        assert scheduler.stop() < 2


def test_goes_on_after_redis_was_away(start: Callable[..., Scheduler], own_redis: RedisServer) -> None:
    scheduler = start()
    seq = newer_than(Topic.SYSTEM, 0)["seq"]
    own_redis.kill()
    wait_until(lambda: "scheduler.job_failed" in scheduler.log.read_text(), what="a line about it")
    own_redis.start()
    newer_than(Topic.SYSTEM, seq)
    assert scheduler.process.poll() is None
    assert "Traceback" not in scheduler.log.read_text()


def test_lives_without_a_migrated_database(start: Callable[..., Scheduler], tmp_path: Path) -> None:
    scheduler = start(DATABASE_URL=f"sqlite:///{tmp_path}/empty.db")
    seq = newer_than(Topic.SYSTEM, 0)["seq"]
    newer_than(Topic.SYSTEM, seq)
    assert scheduler.stop() < 2


def test_second_takes_over_when_the_leader_dies_and_a_frozen_leader_stays_out(
    start: Callable[..., Scheduler],
) -> None:
    first = start()
    pid = newer_than(Topic.SYSTEM, 0)["data"]["process"]["pid"]
    assert pid == first.process.pid
    second = start()
    wait_until(lambda: "leader.follows" in second.log.read_text() or _runs(second))
    first.process.send_signal(signal.SIGSTOP)
    assert _published_by(second.process.pid)
    seq = (last(Topic.SYSTEM) or {})["seq"]
    first.process.send_signal(signal.SIGCONT)
    for _ in range(10):
        value = newer_than(Topic.SYSTEM, seq)
        assert value["data"]["process"]["pid"] == second.process.pid
        seq = value["seq"]


def test_wrong_setting_stops_the_start(tmp_path: Path, start: Callable[..., Scheduler]) -> None:
    scheduler = start(VABHUB_SYSTEM_INTERVAL_S="often")
    assert scheduler.process.wait(timeout=20) == 1
    assert "VABHUB_SYSTEM_INTERVAL_S" in scheduler.log.read_text()


def _runs(scheduler: Scheduler) -> bool:
    return "scheduler.started" in scheduler.log.read_text()


def _published_by(pid: int) -> bool:
    def by() -> bool:
        value = last(Topic.SYSTEM)
        return value is not None and value["data"]["process"]["pid"] == pid

    return wait_until(by, timeout_s=12, what=f"values from {pid}")
