"""The negative controls: the same faults against plain Dramatiq must be seen by the same harness."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import redis as client

from tests.chaos.audit import duplicates
from tests.chaos.experiments.redis import DOWN_S, STUCK_S
from tests.chaos.processes import Process, clean_environment
from tests.chaos.proxy import ReplyDropper
from tests.chaos.result import Result, Size
from tests.chaos.sink import Sink
from tests.support.ports import free_port
from tests.support.redis import RedisServer
from tests.support.waiting import wait_until


class PlainSite:
    """Redis, the provider and two Dramatiq processes of eight threads."""

    def __init__(self, directory: Path, *, redis_options: tuple[str, ...] = (), redis_url: str | None = None):
        self.directory = directory
        self.redis_options = redis_options
        self.redis = RedisServer(directory / "redis")
        self.redis.start(*redis_options)
        self.sink = Sink(directory)
        env = {"CHAOS_REDIS_URL": redis_url or self.redis.url, "CHAOS_SINK_URL": self.sink.url}
        self._env = clean_environment(**env)
        os.environ.update(env)
        self.workers = [self.start_worker() for _ in range(2)]
        self.accepted: set[str] = set()

    def start_worker(self) -> Process:
        """Start one more and wait until it consumes."""
        words = ["tests.chaos.plain", "--processes", "1", "--threads", "8"]
        command = [sys.executable, "-m", "dramatiq", *words]
        log = self.directory / "logs" / f"plain-{time.monotonic_ns()}.log"
        worker = Process("plain", command, self._env, log)
        worker.wait_log("is ready for action")
        return worker

    def enqueue(self, number: int) -> None:
        """Enqueue one message, again until the broker takes it."""
        from tests.chaos import plain

        def taken() -> bool:
            try:
                plain.send.send(number)
            except (client.RedisError, plain.dramatiq.errors.BrokerError):
                return False
            return True

        wait_until(taken, timeout_s=60, every_s=0.5)
        self.accepted.add(f"plain-{number}")

    def missing(self, *, times: int = 1) -> set[str]:
        """Return what was enqueued and has not come `times` times."""
        arrived = {name for name, group in self.sink.by_id().items() if len(group) >= times}
        return self.accepted - arrived

    def end(self) -> None:
        """End all of it."""
        for process in (*self.workers, self.sink.process):
            process.kill()
        self.redis.remove()


@contextmanager
def _plain(directory: Path, **options: Any) -> Iterator[PlainSite]:
    site = PlainSite(directory, **options)
    try:
        yield site
    finally:
        site.end()


def workers_killed(result: Result, directory: Path, size: Size) -> None:
    """As experiment 1; it may pass or fail, the number is for comparison."""
    with _plain(directory) as site:
        site.sink.rules(plain={"mode": "ok", "delay_s": 0.1})
        kills, every = size.pick(20, 2), size.load // size.pick(20, 2)
        for number in range(size.load):
            site.enqueue(number)
            time.sleep(size.load_s / size.load)
            if number % every == every // 2:
                site.workers.pop(0).kill()
                site.workers.append(site.start_worker())
        _judge(result, site, must_fail=False)
        result.measure(kills=kills)


def killed_with_retries_pending(result: Result, directory: Path, size: Size) -> None:
    """As experiment 4: the retries wait in Redis, and Redis comes back with its append-only file."""
    with _plain(directory) as site:
        from tests.chaos import plain

        site.sink.rules(plain={"mode": "status", "status": 500, "first": 1})
        number = size.pick(200, 40)
        for one in range(number):
            site.enqueue(one)
        wait_until(lambda: not site.missing(), timeout_s=60)
        wait_until(lambda: _fetched(site) == number, timeout_s=20)
        site.redis.kill()
        time.sleep(DOWN_S)
        site.redis.start(*site.redis_options)
        _judge(result, site, times=2, wait_s=plain.RETRY_S - DOWN_S + STUCK_S)


def emptied(result: Result, directory: Path, size: Size) -> None:
    """As experiment 5."""
    with _plain(directory) as site:
        site.sink.rules(plain={"mode": "ok", "delay_s": 0.3})
        wipes = size.pick(6, 2)
        every = size.load // wipes
        # A burst fills the queue, as one does in life; an empty queue has nothing to lose.
        for number in range(size.load):
            site.enqueue(number)
            if number % every == every // 3:
                site.redis.kill()
                shutil.rmtree(site.redis.directory)
                site.redis.start(*site.redis_options)
            if number % every == 2 * every // 3:
                with client.Redis.from_url(site.redis.url) as connection:
                    connection.flushall()
        result.measure(wiped=wipes, flushed=wipes)
        _judge(result, site)


def answers_lost(result: Result, directory: Path, size: Size) -> None:
    """As experiment 7."""
    port = free_port()
    proxy = ReplyDropper(port, every=50).start()
    url = f"redis://127.0.0.1:{proxy.port}/0?socket_timeout=2"
    try:
        with _plain(directory, redis_options=("--port", str(port)), redis_url=url) as site:
            for number in range(size.load):
                site.enqueue(number)
                time.sleep(size.load_s / size.load)
            _judge(result, site)
            result.measure(dropped=proxy.dropped)
    finally:
        proxy.stop()


def _fetched(site: PlainSite) -> int:
    """Return how many retries a worker has fetched, to keep them in memory until they are due."""
    with client.Redis.from_url(site.redis.url) as connection:
        delayed = int(connection.hlen("dramatiq:default.DQ.msgs"))
        return delayed - int(connection.llen("dramatiq:default.DQ"))


def _judge(
    result: Result, site: PlainSite, *, times: int = 1, wait_s: float = STUCK_S, must_fail: bool = True
) -> None:
    """Wait for as long as ours may take; what has not come by then is lost or stuck."""
    deadline = time.monotonic() + wait_s
    while site.missing(times=times) and time.monotonic() < deadline:
        time.sleep(0.5)
    missing = len(site.missing(times=times))
    result.lost = missing
    result.duplicates = duplicates(site.sink.by_id())
    result.measure(enqueued=len(site.accepted), lost_or_stuck=missing)
    if must_fail:
        result.expect(missing > 0, "plain Dramatiq lost nothing: the harness is too weak to see it")
