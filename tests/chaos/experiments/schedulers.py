"""10: three schedulers, of which the leader is frozen for longer than its lease."""

from __future__ import annotations

import os
import re
import signal
import threading
import time
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import redis as client

from scheduler.leader import LEASE_S
from tests.chaos.result import Result, Size
from tests.chaos.site import Site
from tests.support.waiting import wait_until

FROZEN_S = 10.0
_LEASE_KEY = "vabhub:leader:lease"
_ASKS = re.compile(r" (\d*) vabhub:live (\w+)$")
_PUBLISHES = re.compile(r"^PUBLISH vabhub:live (\w+) (\d+) ")


@dataclass(frozen=True, slots=True)
class Published:
    """One publish that Redis has let through."""

    at: float
    topic: str
    seq: int
    token: int


class Monitor:
    """Reads all that Redis is asked to do: which token asked, and whether a publish followed."""

    def __init__(self, url: str) -> None:
        self.published: list[Published] = []
        self._client = client.Redis.from_url(url)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._ready = threading.Event()

    def start(self) -> Monitor:
        """Begin to read."""
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def _run(self) -> None:
        token = 0
        with self._client.monitor() as monitor:
            self._ready.set()
            for line in monitor.listen():
                command = line["command"]
                if line["client_type"] != "lua":
                    asked = _ASKS.search(command)
                    token = int(asked[1] or 0) if asked else 0
                elif went := _PUBLISHES.match(command):
                    self.published.append(Published(line["time"], went[1], int(went[2]), token))


def _follow(connection: client.Redis) -> None:
    """Stand for a page that is open all the time: the sources would slow down otherwise."""
    connection.hset("vabhub:live:followers", "chaos", '{"system": 1, "dashboard": 1}')
    connection.zadd("vabhub:live:heard", {"chaos": 10**12})


def leader_frozen(result: Result, directory: Path, size: Size) -> None:
    """SIGSTOP the leader, let another take over, wake the old one."""
    rounds = size.pick(5, 1)
    with Site(directory, result.backend, workers=0, schedulers=3, web=False) as site:
        monitor = Monitor(site.redis.url).start()
        with client.Redis.from_url(site.redis.url) as connection:
            _follow(connection)
            wait_until(lambda: len(monitor.published) > 3, timeout_s=30)
            for _ in range(rounds):
                _freeze_leader(connection, monitor)
        published = list(monitor.published)
    system = [one for one in published if one.topic == "system"]
    result.measure(rounds=rounds, publishes=len(published), leaders=len({one.token for one in published}))
    result.expect(len({one.token for one in published}) > rounds, "the leader did not change each time")
    stale, backwards = _stale(published), _backwards(published)
    result.measure(stale=len(stale), backwards=len(backwards))
    result.expect(not stale, f"published by one who no longer leads: {stale[:3]}")
    result.expect(not backwards, f"seq ran backwards: {backwards[:3]}")
    gaps = [later.at - earlier.at for earlier, later in pairwise(system)]
    result.within("gap_s", max(gaps, default=None), LEASE_S + 2)


def _freeze_leader(connection: client.Redis, monitor: Monitor) -> None:
    owner = wait_until(lambda: connection.get(_LEASE_KEY), timeout_s=20)
    pid = int(owner.decode().split(":")[-2])
    os.kill(pid, signal.SIGSTOP)
    time.sleep(FROZEN_S)
    os.kill(pid, signal.SIGCONT)
    seen = len(monitor.published)
    # Long enough for the one that woke to try what it had begun.
    wait_until(lambda: len(monitor.published) >= seen + 3, timeout_s=30)


def _stale(published: list[Published]) -> list[Published]:
    newest, stale = 0, []
    for one in published:
        if one.token < newest:
            stale.append(one)
        newest = max(newest, one.token)
    return stale


def _backwards(published: list[Published]) -> list[Published]:
    newest: dict[str, int] = {}
    backwards = []
    for one in published:
        if one.seq <= newest.get(one.topic, -1):
            backwards.append(one)
        newest[one.topic] = max(one.seq, newest.get(one.topic, -1))
    return backwards
