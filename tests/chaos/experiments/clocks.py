"""9: one worker's clock is wrong by an hour, and then the sweeper's is."""

from __future__ import annotations

import signal
import sys
import time
from pathlib import Path

from tests.chaos.audit import audit
from tests.chaos.load import Load
from tests.chaos.result import Result, Size
from tests.chaos.site import THREADS, WORKERS, Site

RETRY_S = 10.0
EARLY_S = 1.0
HOUR_S = 3600


def wrong_clocks(result: Result, directory: Path, size: Size) -> None:
    """An hour ahead and an hour behind: a worker, then the scheduler that sweeps.

    On PostgreSQL: there machines differ. SQLite's processes share a machine, and so its clock.
    """
    loads: list[Load] = []
    with Site(directory, result.backend) as site:
        for shift_s in (HOUR_S, -HOUR_S):
            loads.append(_with_worker(site, shift_s, size))
            loads.append(_with_sweeper(site, shift_s, size))
        site.wait_drained(timeout_s=RETRY_S * 1.2 + 60)
        in_flight = WORKERS * THREADS
        audit(site, result, [post for load in loads for post in load.posts])
        assert result.duplicates is not None
        result.measure(in_flight=in_flight)
        result.expect(result.duplicates <= in_flight, f"{result.duplicates} duplicates")
        result.at_most("early_s", _earliest(site), EARLY_S)


def _with_worker(site: Site, shift_s: int, size: Size) -> Load:
    worker = site.running("worker")[0]
    worker.signal(signal.SIGTERM)
    worker.exited_after(time.monotonic(), timeout_s=30)
    skewed = site.start_worker(_skewed(shift_s, "workers"))
    load = _load(site, f"worker{shift_s}", size)
    site.wait_drained(timeout_s=60)
    skewed.signal(signal.SIGTERM)
    skewed.exited_after(time.monotonic(), timeout_s=30)
    site.start_worker()
    return load


def _with_sweeper(site: Site, shift_s: int, size: Size) -> Load:
    right = site.running("scheduler")[0]
    right.kill()
    skewed = site.start_scheduler(_skewed(shift_s, "scheduler"))
    load = _load(site, f"sweeper{shift_s}", size)
    site.wait_drained(timeout_s=60)
    skewed.kill()
    site.start_scheduler()
    return load


def _load(site: Site, name: str, size: Size) -> Load:
    """Half is delivered at once, slowly enough to be in flight; half must be tried again."""
    number = size.load // 4
    # Many channels with a few failures each: one with five would rightly be held back.
    channels = site.channels(number // 3, retry_schedule_s=[RETRY_S] * 3)
    fails = {"mode": "status", "status": 500, "first": 1}
    slow = {"mode": "ok", "delay_s": 0.5}
    site.sink.rules(**{one: fails if place % 2 else slow for place, one in enumerate(channels)})
    return site.load(number, size.load_s / 4, channels, name=name).start().wait()


def _skewed(shift_s: int, module: str) -> list[str]:
    return [sys.executable, "-m", "tests.chaos.skewed", str(shift_s), module]


def _earliest(site: Site) -> float:
    """Return by how much the earliest retry came before its time, by the provider's clock."""
    rows = site.database.rows(
        "SELECT d.webhook_id, extract(epoch FROM a.next_attempt_at) AS due FROM attempt a"
        " JOIN delivery d ON d.id = a.delivery_id WHERE a.epoch = 1 AND a.next_attempt_at IS NOT NULL"
    )
    arrivals = site.sink.by_id()
    second = {name: group[1].at for name, group in arrivals.items() if len(group) > 1}
    return max(
        (float(row.due) - second[row.webhook_id] for row in rows if row.webhook_id in second), default=0.0
    )
