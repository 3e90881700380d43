"""4 to 7: Redis dies with its data, without it, freezes, and answers are lost on the way."""

from __future__ import annotations

import shutil
import signal
import time
from pathlib import Path
from typing import Any

import redis as client

from tests.chaos.audit import audit
from tests.chaos.load import Load
from tests.chaos.proxy import ReplyDropper
from tests.chaos.result import Result, Size
from tests.chaos.site import Site
from tests.support.ports import free_port
from tests.support.waiting import wait_until

STUCK_S = 35.0
RETRY_S = 20.0
DOWN_S = 20.0  # redis-py by itself may bridge an outage of up to 14 s


def killed_with_retries_pending(result: Result, directory: Path, size: Size) -> None:
    """Redis is killed while retries wait, and comes back with its append-only file."""
    number = size.pick(200, 40)
    with Site(directory, result.backend) as site:
        # Many channels with a few failures each: one with all of them would rightly be held back.
        channels = site.channels(number // 4, retry_schedule_s=[RETRY_S] * 3)
        site.sink.rules(**{name: {"mode": "status", "status": 500, "first": 1} for name in channels})
        load = site.load(number, number / 20, channels).start().wait()
        due = wait_until(lambda: _all_retrying(site, number), timeout_s=60, every_s=0.1)
        workers = [worker.pid for worker in site.running("worker")]
        site.redis.kill()
        _pause(DOWN_S)
        site.restart_redis()
        site.wait_drained(timeout_s=RETRY_S * 1.2 + STUCK_S + 20)
        result.expect(workers == [worker.pid for worker in site.running("worker")], "a worker was restarted")
        result.within("late_s", _latest(site, due), STUCK_S)
        result.measure(retries=len(due))
        audit(site, result, load.posts)


def _all_retrying(site: Site, number: int) -> dict[str, float] | None:
    """Return when each retry is due (epoch seconds), by webhook id, once every delivery waits for one."""
    epoch = "(julianday(next_attempt_at) - 2440587.5) * 86400.0"
    if not site.database.is_sqlite:
        epoch = "extract(epoch FROM next_attempt_at)"
    rows = site.database.rows(f"SELECT webhook_id, {epoch} AS due FROM delivery WHERE state = 'retrying'")
    return {row.webhook_id: float(row.due) for row in rows} if len(rows) == number else None


def _latest(site: Site, due: dict[str, float]) -> float | None:
    """Return how long after its time the last retry came; None when one never did."""
    second = {name: group[1].at for name, group in site.sink.by_id().items() if len(group) > 1}
    if not due.keys() <= second.keys():
        return None
    return max(second[name] - due[name] for name in due)


def emptied(result: Result, directory: Path, size: Size) -> None:
    """Redis is killed and wiped, and flushed, by turns."""
    wipes = size.pick(6, 2)
    with Site(directory, result.backend) as site:
        load = site.load(size.load, size.load_s, site.channels()).start()
        for _ in range(wipes):
            _pause(size.load_s / (2 * wipes + 1))
            _wipe(site)
            _pause(size.load_s / (2 * wipes + 1))
            with client.Redis.from_url(site.redis.url) as connection:
                connection.flushall()
        load.wait()
        result.measure(wiped=wipes, flushed=wipes)
        result.within("drained_s", site.wait_drained(timeout_s=120), 60)
        audit(site, result, load.posts)
        assert result.duplicates is not None
        result.at_most("duplicate_share", result.duplicates / len(load.posts), 0.01)


def _wipe(site: Site) -> None:
    site.redis.kill()
    shutil.rmtree(site.redis.directory)
    site.restart_redis()


def frozen(result: Result, directory: Path, size: Size) -> None:
    """Redis stands still during POSTs."""
    freeze_s = size.pick(30.0, 8.0)
    load_s = freeze_s * 1.5
    with Site(directory, result.backend) as site:
        load = site.load(size.load, load_s, site.channels()).start()
        wait_until(lambda: len(load.accepted) > 0.1 * len(load.posts), timeout_s=30)
        site.redis.signal(signal.SIGSTOP)
        frozen_at = time.time()
        _pause(freeze_s)
        site.redis.signal(signal.SIGCONT)
        thawed_at, thawed = time.time(), time.monotonic()
        load.wait()
        site.wait_drained(timeout_s=90)
        result.within("drained_s", time.monotonic() - thawed, 60)
        during = [one for one in load.answers if frozen_at < one.at < thawed_at]
        result.measure(posts_while_frozen=len(during), statuses=load.statuses())
        result.expect(bool(during), "no POST came while Redis stood still")
        result.expect(set(load.statuses()) == {"201"}, f"not all were accepted at once: {load.statuses()}")
        result.within("post_p99_ms", _ms(load.p99_s()), 700)
        audit(site, result, load.posts)


def answers_lost(result: Result, directory: Path, size: Size) -> None:
    """A proxy swallows every 50th reply of Redis."""
    port = free_port()
    proxy = ReplyDropper(port, every=50).start()
    options = ("--port", str(port))
    try:
        with Site(
            directory, result.backend, redis_options=options, redis_url=f"redis://127.0.0.1:{proxy.port}/0"
        ) as site:
            load = site.load(size.load, size.load_s, site.channels()).start().wait()
            site.wait_drained(timeout_s=STUCK_S + 30)
            result.measure(dropped=proxy.dropped, statuses=load.statuses())
            result.expect(proxy.dropped > 0, "no reply was dropped")
            result.within("slowest_s", slowest_s(site, load), STUCK_S)
            audit(site, result, load.posts)
    finally:
        proxy.stop()


def slowest_s(site: Site, load: Load) -> float | None:
    """Return the longest time from acceptance to the first arrival; None when one never arrived."""
    arrived = {name: group[0].at for name, group in site.sink.by_id().items()}
    rows: Any = site.database.rows("SELECT notification_id, webhook_id FROM delivery")
    names = {row.notification_id: row.webhook_id for row in rows}
    waits = [arrived.get(names.get(post.id), float("inf")) - post.accepted_at for post in load.accepted]
    longest = max(waits, default=None)
    return None if longest == float("inf") else longest


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else seconds * 1000


def _pause(seconds: float) -> None:
    """How long a fault lasts is part of the experiment."""
    time.sleep(seconds)
