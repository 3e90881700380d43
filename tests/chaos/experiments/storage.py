"""8 and 14: the database is locked or away; the disk is full, and then Redis is."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import redis as client

from tests.chaos.audit import audit
from tests.chaos.load import Answer, Load
from tests.chaos.result import Result, Size
from tests.chaos.site import Site
from tests.support.waiting import wait_until

RECOVERY_S = 10.0
RESUMES_S = 30.0
_TMPFS_MB = 24


def database_away(result: Result, directory: Path, size: Size) -> None:
    """SQLite is locked by somebody else, PostgreSQL is stopped, while POSTs come."""
    away_s = size.pick(20.0, 9.0)
    with Site(directory, result.backend) as site:
        load = site.load(size.load, max(size.load_s, away_s * 1.7), site.channels()).start()
        wait_until(lambda: len(load.accepted) > 0.1 * len(load.posts), timeout_s=60)
        with _sqlite_locked(site) if site.postgres is None else _postgres_stopped(site):
            began = time.time()
            time.sleep(away_s)
        back = time.time()
        load.wait()
        result.measure(drained_s=site.wait_drained(timeout_s=90), statuses=load.statuses())
        during = [one for one in load.answers if began < one.at < back]
        _only_503(result, load, during)
        result.within("recovery_s", _first_201(load, back), RECOVERY_S)
        audit(site, result, load.posts)


@contextmanager
def _sqlite_locked(site: Site) -> Iterator[None]:
    with closing(sqlite3.connect(site.data_dir / "vabhub.db", timeout=30, isolation_level=None)) as holder:
        holder.execute("BEGIN EXCLUSIVE")
        yield
        holder.execute("ROLLBACK")


@contextmanager
def _postgres_stopped(site: Site) -> Iterator[None]:
    assert site.postgres is not None
    site.postgres.down()
    yield
    site.postgres.up()


def full(result: Result, directory: Path, size: Size) -> None:
    """The disk has no room left, and afterwards Redis has none."""
    full_s = size.pick(30.0, 9.0)
    disk = directory / "disk"
    refusal = _mount(disk)
    if refusal:
        result.cannot = refusal
        result.notes.append(f"not run: {refusal}")
        return
    try:
        with Site(directory, result.backend, data_dir=disk / "data") as site:
            _fill_both(site, result, disk, full_s=full_s, size=size)
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=False)


def _fill_both(site: Site, result: Result, disk: Path, *, full_s: float, size: Size) -> None:
    # Messages of some size: a full disk still has room inside the pages and the log that exist.
    channel = site.channels()
    load = site.load(size.load, full_s * 3.5, channel, message="x" * 8000, give_up_s=300).start()
    wait_until(lambda: len(load.accepted) > 0.1 * len(load.posts), timeout_s=60)
    began = time.time()
    with _disk_full(disk):
        time.sleep(full_s)
    room = time.time()
    wait_until(lambda: _first_201(load, room) is not None or not load.running, timeout_s=90)
    with client.Redis.from_url(site.redis.url) as connection:
        connection.config_set("maxmemory", "1")
        time.sleep(full_s)
        connection.config_set("maxmemory", "0")
    emptied = time.time()
    load.wait()
    result.measure(drained_s=site.wait_drained(timeout_s=120), statuses=load.statuses())
    _only_503(result, load, [one for one in load.answers if began < one.at < room])
    result.within("disk_resumes_s", _first_201(load, room), RESUMES_S)
    result.within("redis_resumes_s", _first_201(load, emptied), RESUMES_S)
    verdict = site.database.number("PRAGMA integrity_check")
    result.expect(verdict == "ok", f"integrity check: {verdict}")
    audit(site, result, load.posts)


@contextmanager
def _disk_full(disk: Path) -> Iterator[None]:
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"\0" * 65536)
        except OSError:
            pass
    try:
        yield
    finally:
        ballast.unlink()


def _mount(disk: Path) -> str | None:
    """Mount a small file system; return why that cannot be done."""
    if os.getuid() != 0:
        return "a small file system needs root to mount it"
    disk.mkdir(parents=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={_TMPFS_MB}m", "tmpfs", str(disk)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return None if done.returncode == 0 else f"mount: {done.stderr.strip()}"


def _only_503(result: Result, load: Load, during: list[Answer]) -> None:
    refused = [one for one in during if one.status == 503]
    result.measure(refused_503=len(refused))
    result.expect(bool(refused), "no POST was refused: the fault was not felt")
    result.expect(all(one.retry_after for one in refused), "a 503 came without Retry-After")
    others = {name for name in load.statuses() if name not in ("201", "503")}
    result.expect(not others, f"other answers than 201 and 503: {load.statuses()}")


def _first_201(load: Load, since: float) -> float | None:
    times = [one.at - since for one in load.answers if one.status == 201 and one.at >= since]
    return min(times, default=None)
