"""A real PostgreSQL cluster for tests, made in a temporary directory."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from itertools import count
from pathlib import Path

import psycopg

from tests.support.ports import free_port


class PostgresServer:
    """One cluster; each test gets a database of its own, copied from a migrated template."""

    def __init__(self) -> None:
        self._bin = _newest_bin()
        # PostgreSQL refuses to run as root, so as root everything belongs to the package's own user.
        self._user = "postgres" if os.getuid() == 0 else pwd.getpwuid(os.getuid()).pw_name
        self.directory = Path(tempfile.mkdtemp(prefix="vabhub-pg-"))
        self.port = free_port()
        self._numbers = count(1)
        self._template: str | None = None

    def start(self) -> None:
        """Make the cluster and start it."""
        if os.getuid() == 0:
            shutil.chown(self.directory, self._user)
        data = str(self.directory / "data")
        self._run("initdb", "-D", data, "-A", "trust", "-U", "vabhub", "-E", "UTF8", "--locale=C", "-N")
        self.up()

    def up(self) -> None:
        """Start the cluster (again)."""
        data = str(self.directory / "data")
        options = f"-p {self.port} -k {self.directory} -c listen_addresses=127.0.0.1 -c fsync=off"
        options += " -c max_connections=200"
        log = str(self.directory / "log")
        self._run("pg_ctl", "-D", data, "-l", log, "-o", options, "-w", "-t", "60", "start")

    def down(self, mode: str = "fast") -> None:
        """Stop the cluster; `immediate` is a crash."""
        self._run("pg_ctl", "-D", str(self.directory / "data"), "-m", mode, "-w", "stop")

    def url(self, name: str) -> str:
        """Return the address of a database."""
        return f"postgresql://vabhub@127.0.0.1:{self.port}/{name}"

    def create(self, *, template: str = "template1") -> str:
        """Make a database and return its address."""
        name = f"test_{next(self._numbers)}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"'.encode())
        return self.url(name)

    def drop(self, url: str) -> None:
        """Drop a database with whoever is still connected."""
        name = url.rpartition("/")[2]
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'.encode())

    def remove(self) -> None:
        """Stop and delete the cluster."""
        self.down("immediate")
        shutil.rmtree(self.directory, ignore_errors=True)

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._bin / program), *arguments]
        if os.getuid() == 0:
            command = ["runuser", "-u", self._user, "--", *command]
        done = (
            subprocess.run(
                command,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                check=False,
            )
            if program != "pg_ctl"
            else _run_detached(command)
        )
        assert done.returncode == 0, f"{program}: {(done.stdout or b'').decode()[-2000:]}"


def _run_detached(command: list[str]) -> subprocess.CompletedProcess[bytes]:
    # The server inherits pg_ctl's output: a pipe would stay open for as long as it runs.
    with tempfile.TemporaryFile() as output:
        done = subprocess.run(
            command, cwd="/", stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=False
        )
        output.seek(0)
        return subprocess.CompletedProcess(command, done.returncode, output.read())


def _newest_bin() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    if found:
        return found[-1]
    program = shutil.which("initdb")
    assert program, "PostgreSQL is not installed: apt-get install postgresql"
    return Path(program).parent
