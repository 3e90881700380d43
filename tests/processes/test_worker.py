"""`python -m workers`: takes every queue, keeps threads for the urgent one, leaves when it is asked to."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from dramatiq.brokers.redis import RedisBroker
from dramatiq.message import Message
from redis import Redis

from tests.support.redis import RedisServer
from tests.support.stack import ROOT
from tests.support.waiting import wait_until
from vabhub import queues, redis_client
from vabhub.queues import Queue, Task, enqueue
from vabhub.settings import Settings, get_settings, use_settings

ACTORS = """
import sys, time
from pathlib import Path
import dramatiq
from vabhub.broker import get_broker
from vabhub.queues import Queue, Task

get_broker()

@dramatiq.actor(actor_name=Task.DELIVER, queue_name=Queue.DEFAULT)
def deliver(path, seconds):
    with Path(path).open("a") as file:
        file.write("begun\\n")
    time.sleep(seconds)
    with Path(path).open("a") as file:
        file.write("done\\n")

@dramatiq.actor(actor_name=Task.SWEEP, queue_name=Queue.MAINTENANCE)
def sweep():
    raise ValueError("a fault in a task")

from workers import __main__, boot
boot.ACTOR_MODULES = ()
sys.exit(__main__.main())
"""


class WorkerProcess:
    """The worker with two actors of the tests' own."""

    def __init__(self, directory: Path, settings: Settings, threads: int) -> None:
        script = directory / "worker_under_test.py"
        script.write_text(ACTORS)
        self.log = directory / "worker.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-W", "error", str(script)],
                stdout=log,
                stderr=log,
                env={
                    **os.environ,
                    "PYTHONPATH": str(ROOT),
                    "REDIS_URL": settings.redis_url,
                    "VABHUB_DATA_DIR": str(settings.data_dir),
                    "VABHUB_WORKER_THREADS": str(threads),
                },
            )
        wait_until(lambda: "worker.ready" in self.text(), what="the worker is ready")

    def text(self) -> str:
        """What it logged so far."""
        assert self.process.poll() in (None, 0), self.log.read_text()
        return self.log.read_text()


@pytest.fixture
def worker(tmp_path: Path, settings: Settings, redis: None) -> Iterator[WorkerProcess]:
    """A running worker with one general thread."""
    running = WorkerProcess(tmp_path, settings, threads=1)
    yield running
    running.process.kill()
    running.process.wait()


def deliver(path: Path, seconds: float, queue: Queue = Queue.DEFAULT) -> None:
    enqueue(Task.DELIVER, str(path), seconds, queue=queue)


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


@pytest.mark.parametrize("queue", list(Queue))
def test_every_queue_is_consumed(worker: WorkerProcess, tmp_path: Path, queue: Queue) -> None:
    deliver(tmp_path / "out", 0, queue)
    wait_until(lambda: lines(tmp_path / "out") == ["begun", "done"])


def test_an_urgent_task_does_not_wait_for_the_others(worker: WorkerProcess, tmp_path: Path) -> None:
    for number in range(3):
        deliver(tmp_path / f"slow{number}", 30)
    wait_until(lambda: lines(tmp_path / "slow0") == ["begun"])
    deliver(tmp_path / "urgent", 0, Queue.URGENT)
    wait_until(lambda: lines(tmp_path / "urgent") == ["begun", "done"], timeout_s=5)


def test_an_idle_worker_wakes_at_once(worker: WorkerProcess, tmp_path: Path) -> None:
    # Without the wake-up the first of five would wait for the next question, up to four seconds each.
    began = time.monotonic()
    for number in range(5):
        deliver(tmp_path / f"out{number}", 0)
        wait_until(lambda path=tmp_path / f"out{number}": lines(path) == ["begun", "done"])
    assert time.monotonic() - began < 4


def test_a_lost_wake_up_costs_seconds_only(worker: WorkerProcess, tmp_path: Path) -> None:
    message = Message(
        queue_name=Queue.LOW, actor_name=Task.DELIVER, args=(str(tmp_path / "out"), 0), kwargs={}, options={}
    )
    silent = RedisBroker(client=redis_client.get_queue_redis(answer_timeout_s=2), middleware=[])
    silent.enqueue(message)
    silent.close()
    wait_until(lambda: lines(tmp_path / "out") == ["begun", "done"], timeout_s=8)


@pytest.fixture
def own_redis(tmp_path: Path, settings: Settings) -> Iterator[RedisServer]:
    """A Redis that only this test uses, and may break; the settings name it."""
    server = RedisServer(tmp_path / "own-redis")
    server.start()
    use_settings(settings.model_copy(update={"redis_url": server.url}))
    yield server
    redis_client.close()
    queues.reset()
    server.remove()


@pytest.fixture
def breakable(tmp_path: Path, own_redis: RedisServer) -> Iterator[WorkerProcess]:
    """A worker of that Redis."""
    running = WorkerProcess(tmp_path, get_settings(), threads=2)
    yield running
    running.process.kill()
    running.process.wait()


def test_a_worker_outlives_a_frozen_and_a_killed_redis(
    breakable: WorkerProcess, own_redis: RedisServer, tmp_path: Path
) -> None:
    own_redis.signal(signal.SIGSTOP)
    wait_until(lambda: "worker.redis_lost" in breakable.text(), timeout_s=20)
    own_redis.signal(signal.SIGCONT)
    own_redis.kill()
    own_redis.start()
    deliver(tmp_path / "out", 0)
    wait_until(lambda: lines(tmp_path / "out") == ["begun", "done"], timeout_s=20)
    assert "Traceback" not in breakable.text()


def test_an_outage_of_redis_is_two_lines_for_all_queues(
    breakable: WorkerProcess, own_redis: RedisServer
) -> None:
    own_redis.kill()
    wait_until(lambda: "worker.redis_lost" in breakable.text(), timeout_s=20)
    time.sleep(6)  # each consumer has asked again, in vain
    own_redis.start()
    wait_until(lambda: "worker.redis_back" in breakable.text(), timeout_s=20)
    assert len(breakable.text().splitlines()) == 3, breakable.text()  # with the ready line


def test_a_redis_without_memory_is_two_lines_and_costs_no_acknowledgement(
    breakable: WorkerProcess, own_redis: RedisServer, tmp_path: Path
) -> None:
    deliver(tmp_path / "out", 1)
    wait_until(lambda: lines(tmp_path / "out") == ["begun"])
    with Redis.from_url(own_redis.url) as client:
        client.config_set("maxmemory", 1)
        wait_until(lambda: lines(tmp_path / "out") == ["begun", "done"])
        wait_until(lambda: "state=refusing" in breakable.text(), timeout_s=20)
        assert "maxmemory" in breakable.text()
        client.config_set("maxmemory", 0)
    wait_until(lambda: "worker.redis_back" in breakable.text(), timeout_s=20)
    waiting = redis_client.get_queue_redis(answer_timeout_s=2)
    wait_until(
        lambda: not waiting.keys("dramatiq:__acks__*"), timeout_s=20, what="nothing left to acknowledge"
    )
    waiting.close()
    assert len(breakable.text().splitlines()) == 3, breakable.text()


def test_a_lost_answer_does_not_stop_the_consumer(
    tmp_path: Path, own_redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VABHUB_LOG_LEVEL", "debug")
    running = WorkerProcess(tmp_path, get_settings(), threads=2)
    try:
        own_redis.signal(signal.SIGSTOP)
        wait_until(lambda: "worker.redis_lost" in running.text(), timeout_s=20, every_s=0.001)
        own_redis.signal(signal.SIGCONT)
        deliver(tmp_path / "out", 0)
        wait_until(lambda: lines(tmp_path / "out") == ["begun", "done"], timeout_s=20)
        wait_until(lambda: "worker.redis_back" in running.text(), timeout_s=20)
        assert "Restarting consumer in" not in running.text()
    finally:
        own_redis.signal(signal.SIGCONT)
        running.process.kill()
        running.process.wait()


def test_at_debug_level_dramatiq_says_everything(
    tmp_path: Path, own_redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VABHUB_LOG_LEVEL", "debug")
    running = WorkerProcess(tmp_path, get_settings(), threads=2)
    try:
        own_redis.kill()
        wait_until(lambda: "Restarting consumer in" in running.text(), timeout_s=20)
    finally:
        running.process.kill()
        running.process.wait()


def test_the_ready_line_tells_both_kinds_of_threads(worker: WorkerProcess) -> None:
    assert "threads=1 urgent_threads=2" in worker.text()


def test_repeated_signals_let_a_running_task_finish(worker: WorkerProcess, tmp_path: Path) -> None:
    deliver(tmp_path / "out", 2)
    wait_until(lambda: lines(tmp_path / "out") == ["begun"])
    for number in (signal.SIGTERM, signal.SIGTERM, signal.SIGINT, signal.SIGTERM):
        worker.process.send_signal(number)
    wait_until(lambda: "worker.draining" in worker.text())
    worker.process.send_signal(signal.SIGTERM)
    assert worker.process.wait(timeout=22) == 0
    assert lines(tmp_path / "out") == ["begun", "done"]
    assert worker.text().count("worker.draining") == 1


def test_signals_until_the_very_end_do_not_kill_it(worker: WorkerProcess) -> None:
    # Python gives signals back to the system while it winds down; a platform repeats them regardless.
    while worker.process.poll() is None:
        worker.process.send_signal(signal.SIGTERM)
    assert worker.process.returncode == 0
    assert "worker.stopped" in worker.text()


def test_what_a_stopping_worker_has_not_begun_waits_for_the_next(
    worker: WorkerProcess, tmp_path: Path, settings: Settings
) -> None:
    deliver(tmp_path / "first", 1)
    wait_until(lambda: lines(tmp_path / "first") == ["begun"])
    deliver(tmp_path / "second", 0)
    worker.process.send_signal(signal.SIGTERM)
    assert worker.process.wait(timeout=22) == 0
    assert lines(tmp_path / "second") == []
    waiting = redis_client.get_queue_redis(answer_timeout_s=2)
    assert waiting.llen(f"dramatiq:{Queue.DEFAULT}") == 1
    waiting.close()


def test_a_fault_in_a_task_is_logged_once_and_costs_no_thread(worker: WorkerProcess, tmp_path: Path) -> None:
    enqueue(Task.SWEEP, queue=Queue.MAINTENANCE)
    wait_until(lambda: "a fault in a task" in worker.text())
    deliver(tmp_path / "out", 0)
    wait_until(lambda: lines(tmp_path / "out") == ["begun", "done"])
    assert worker.text().count("ValueError: a fault in a task") == 1


def test_a_wrong_setting_stops_the_worker_in_one_line(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "workers"],
        cwd=ROOT,
        env={**os.environ, "VABHUB_WORKER_THREADS": "many", "VABHUB_DATA_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("vabhub worker: VABHUB_WORKER_THREADS")
    assert len(done.stderr.splitlines()) == 1
