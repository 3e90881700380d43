"""What the figures were measured on, and what else it was doing."""

from __future__ import annotations

import os
import platform
import sqlite3
import subprocess
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from statistics import median

import psutil

from tests.support.postgres import _newest_bin

_COMMITS = 200


def describe() -> str:
    """Return the machine in a few lines."""
    memory = psutil.virtual_memory().total / 2**30
    packages = ", ".join(f"{name} {version(name)}" for name in ("dramatiq", "celery", "sqlalchemy", "httpx"))
    return "\n".join(
        [
            f"{os.cpu_count()} cores ({_processor()}), {memory:.0f} GiB, Linux {platform.release()}",
            f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {_servers()}",
            packages,
            f"a commit of SQLite (WAL, synchronous=FULL) here: {commit_ms():.2f} ms",
            load(),
            "",
        ]
    )


def load() -> str:
    """Return what else the machine is doing: everything is measured beside it."""
    busy = psutil.cpu_percent(interval=1.0)
    return f"load {os.getloadavg()[0]:.1f} (1 min), {busy:.0f} % of all cores busy without us"


def commit_ms() -> float:
    """Return the median time of one durable SQLite transaction where the databases will lie."""
    with tempfile.TemporaryDirectory(prefix="vabhub-bench-") as directory:
        connection = sqlite3.connect(Path(directory) / "probe.db", isolation_level=None)
        for statement in ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", "CREATE TABLE t (a)"):
            connection.execute(statement)
        times = [_commit(connection) for _ in range(_COMMITS)]
        connection.close()
    return median(times) * 1000


def _commit(connection: sqlite3.Connection) -> float:
    began = time.perf_counter()
    for statement in ("BEGIN IMMEDIATE", "INSERT INTO t VALUES (1)", "COMMIT"):
        connection.execute(statement)
    return time.perf_counter() - began


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _servers() -> str:
    return f"{_says('redis-server')}, {_says(str(_newest_bin() / 'postgres'))}"


def _says(program: str) -> str:
    done = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    words = done.stdout.split()
    found = next((word for word in words if word.startswith("v=")), None)
    return f"Redis {found[2:]}" if found else f"PostgreSQL {words[2]}"
