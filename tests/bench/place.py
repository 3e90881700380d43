"""The chaos harness's installation, as a user has it: no trigger that logs, and a database that syncs."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from tests.chaos.processes import Process
from tests.chaos.site import Site
from tests.support.postgres import PostgresServer
from tests.support.waiting import wait_until
from vabhub import broker, db, queues, redis_client
from vabhub.settings import load_settings, use_settings

BACKENDS = ("sqlite", "postgresql")
_WATCHERS = {
    "sqlite": [f"DROP TRIGGER chaos_{what}" for what in ("update", "insert", "delete")],
    "postgresql": ["DROP TRIGGER chaos_note ON delivery", "DROP FUNCTION chaos_note"],
}


class DurablePostgres(PostgresServer):
    """A cluster that waits for the disk, which those of the tests do not."""

    def up(self) -> None:
        """Start the cluster with PostgreSQL's own settings."""
        data = str(self.directory / "data")
        options = f"-p {self.port} -k {self.directory} -c listen_addresses=127.0.0.1 -c max_connections=200"
        log = str(self.directory / "log")
        self._run("pg_ctl", "-D", data, "-l", log, "-o", options, "-w", "-t", "60", "start")


class Place(Site):
    """One whole installation to be measured: one worker process unless said otherwise."""

    def __init__(self, directory: Path, backend: str, **more: Any) -> None:
        super().__init__(directory, backend, **{"workers": 1, "schedulers": 0, "web": False, **more})
        if self.postgres is not None:
            self.postgres = DurablePostgres()

    def __enter__(self) -> Self:
        super().__enter__()
        self.database.execute(*_WATCHERS[self.backend], "DROP TABLE chaos_log")
        return self

    @property
    def env(self) -> dict[str, str]:
        """The environment of its processes."""
        return dict(self._env)

    def worker(self) -> Process:
        """Return its one worker."""
        return self.running("worker")[0]


class Tail:
    """Counts what arrives at the provider, without reading anything twice."""

    def __init__(self, site: Site) -> None:
        self._file = site.sink._log.open("rb")
        self._lines = 0
        self._last = b""

    def count(self) -> int:
        """Return how many requests have come so far."""
        new = self._file.read()
        if new:
            self._lines += new.count(b"\n")
            self._last = new.rsplit(b"\n", 2)[-2]
        return self._lines

    def last_at(self) -> float:
        """Return when the last one came, by the clock on the wall."""
        return float(json.loads(self._last)["at"])

    def wait_for(self, number: int, *, timeout_s: float = 60) -> None:
        """Wait until that many have come."""
        wait_until(
            lambda: self.count() >= number, timeout_s=timeout_s, every_s=0.003, what=f"{number} requests"
        )


@contextmanager
def using(place: Place) -> Iterator[None]:
    """Let this process be one of the installation's."""
    use_settings(load_settings(place.env))
    try:
        yield
    finally:
        for close in (db.dispose, queues.reset, broker.reset_broker, redis_client.close):
            close()
        use_settings(None)


def freeze(process: Process) -> None:
    """Let a process and those below it stand still, so that work heaps up in front of it."""
    process.signal_all(signal.SIGSTOP)


def thaw(process: Process) -> None:
    """Let it go on."""
    process.signal_all(signal.SIGCONT)
