"""One whole installation under test: database, Redis, provider, web, workers, schedulers."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from tests.chaos.database import Database
from tests.chaos.load import Load
from tests.chaos.processes import Process, clean_environment, procfile, run
from tests.chaos.sink import Sink
from tests.support.ports import free_port
from tests.support.postgres import PostgresServer
from tests.support.redis import RedisServer
from tests.support.waiting import wait_until

WORKERS = 2
PATIENCE_S = 240.0
THREADS = 10  # eight that deliver anything and two for urgent ones


class Site:
    """Starts what an experiment needs and ends all of it."""

    def __init__(
        self,
        directory: Path,
        backend: str = "sqlite",
        *,
        workers: int = WORKERS,
        schedulers: int = 1,
        web: bool = True,
        data_dir: Path | None = None,
        redis_options: Sequence[str] = (),
        redis_url: str | None = None,
    ) -> None:
        self.directory = directory
        self.backend = backend
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.data_dir = data_dir or directory / "data"
        self.redis_options = tuple(redis_options)
        self.redis = RedisServer(directory / "redis")
        self._redis_url = redis_url or self.redis.url
        self.postgres: PostgresServer | None = PostgresServer() if backend == "postgresql" else None
        self._wanted = (workers, schedulers, web)
        self._numbers = count(1)
        self.processes: list[Process] = []
        self._keeper_stop = threading.Event()
        self._keeper: threading.Thread | None = None
        self.token = ""

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def start(self, name: str, command: list[str] | None = None) -> Process:
        """Start one more process of the Procfile, `command` in place of its own."""
        log = self.directory / "logs" / f"{name}-{next(self._numbers)}.log"
        process = Process(name, command or procfile()[name], self._env, log)
        self.processes.append(process)
        return process

    def start_web(self) -> Process:
        """Start the web process and wait until it is ready."""
        web = self.start("web")
        wait_until(
            lambda: self._is_ready(web), timeout_s=90, every_s=0.1, what=f"web is ready: {web.text[-2000:]}"
        )
        return web

    def start_worker(self, command: list[str] | None = None) -> Process:
        """Start a worker and wait until it consumes."""
        worker = self.start("worker", command)
        worker.wait_log("worker.ready")
        return worker

    def start_scheduler(self, command: list[str] | None = None) -> Process:
        """Start a scheduler and wait until its clock runs."""
        scheduler = self.start("scheduler", command)
        scheduler.wait_log("scheduler.started")
        return scheduler

    def running(self, name: str) -> list[Process]:
        """Return the processes of that name that live, the oldest first."""
        return [process for process in self.processes if process.name == name and process.code is None]

    def restart_redis(self) -> None:
        """Start Redis again with the data that is there."""
        self.redis.start(*self.redis_options)

    def keep_workers(self, number: int) -> None:
        """Start a new worker whenever one has died, as a platform does."""

        def keep() -> None:
            while not self._keeper_stop.wait(0.2):
                for _ in range(number - len(self.running("worker"))):
                    self.start("worker")

        self._keeper = threading.Thread(target=keep, daemon=True)
        self._keeper.start()

    def client(self) -> httpx.Client:
        """Return a client that may do everything."""
        headers = {"Authorization": f"Bearer {self.token}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=30)

    def channels(self, number: int = 1, **more: Any) -> list[str]:
        """Make webhook channels to the provider; return their names."""
        names = [f"c{next(self._numbers)}" for _ in range(number)]
        with self.client() as client:
            for name in names:
                settings = {"url": f"{self.sink.url}/{name}"}
                body = {"name": name, "kind": "webhook", "settings": settings, **more}
                answer = client.post("/api/channels", json=body)
                assert answer.status_code == 201, answer.text
        return names

    def load(self, count: int, seconds: float, channels: list[str], **more: Any) -> Load:
        """Return a load on this installation, not yet started."""
        return Load(self.port, self.token, count=count, seconds=seconds, channels=channels, **more)

    def wait_drained(self, *, timeout_s: float) -> float | None:
        """Wait until every delivery has come to an end; return the seconds, or None when it was too late.

        Longer than an experiment asks for: its line judges the time, this only ends what would never end.
        """
        timeout_s = max(timeout_s, PATIENCE_S)
        began = time.monotonic()
        while self.database.unfinished():
            if time.monotonic() - began > timeout_s:
                return None
            time.sleep(0.25)
        return time.monotonic() - began

    def _start(self) -> None:
        workers, schedulers, web = self._wanted
        self.directory.mkdir(parents=True, exist_ok=True)
        self.redis.start(*self.redis_options)
        self._env = clean_environment(
            PORT=str(self.port),
            SECRET_KEY="chaos" * 8,
            VABHUB_DATA_DIR=str(self.data_dir),
            REDIS_URL=self._redis_url,
            DATABASE_URL=self._database_url(),
            VABHUB_LOG_FORMAT="json",
        )
        run([sys.executable, "-m", "vabhub", "migrate"], self._env)
        self.database = Database(self._env["DATABASE_URL"].replace("postgresql://", "postgresql+psycopg://"))
        self.database.watch()
        self.sink = Sink(self.directory)
        self.processes.append(self.sink.process)
        if web:
            create = ["token", "create", "chaos", "--scopes", "admin"]
            self.token = run([sys.executable, "-m", "vabhub", *create], self._env).strip()
        started = [self.start("worker") for _ in range(workers)]
        clocks = [self.start("scheduler") for _ in range(schedulers)]
        if web:
            self.start_web()
        for worker in started:
            worker.wait_log("worker.ready")
        for scheduler in clocks:
            scheduler.wait_log("scheduler.started")

    def _database_url(self) -> str:
        if self.postgres is None:
            return f"sqlite:///{self.data_dir / 'vabhub.db'}"
        self.postgres.start()
        return self.postgres.create()

    def _is_ready(self, web: Process) -> bool:
        assert web.code is None, f"web ended with {web.code}:\n{web.text[-3000:]}"
        try:
            return httpx.get(f"{self.url}/readyz", timeout=5).status_code == 200
        except httpx.TransportError:
            return False

    def _end(self) -> None:
        self._keeper_stop.set()
        if self._keeper is not None:
            self._keeper.join(10)
        for process in self.processes:
            process.signal_all(signal.SIGCONT)
            process.kill()
        self.redis.remove()
        if self.postgres is not None:
            self.postgres.remove()
