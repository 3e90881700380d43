"""15: hundreds of sockets, some of which never read, over restarts; and the same POST fifty times at once."""

from __future__ import annotations

import http.client
import json
import signal
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.chaos.audit import audit
from tests.chaos.load import forget_if_closed
from tests.chaos.processes import Process, clean_environment
from tests.chaos.result import Result, Size, quantile
from tests.chaos.site import Site
from tests.support.waiting import wait_until

HTTP_MS = 250
SNAPSHOT_S = 2.0
AT_ONCE = 50


class Crowd:
    """The process with the sockets."""

    def __init__(self, site: Site, *, reading: int, silent: int) -> None:
        self.size = reading + silent
        self._state = site.directory / "sockets.json"
        url = f"ws://127.0.0.1:{site.port}/api/ws/ws"
        words = [url, site.token, str(reading), str(silent), str(self._state)]
        command = [sys.executable, "-m", "tests.chaos.sockets_process", *words]
        self.process = Process(
            "sockets", command, clean_environment(), site.directory / "logs" / "sockets.log"
        )
        site.processes.append(self.process)

    def state(self) -> dict[str, Any]:
        """Return what the sockets have seen so far."""
        assert self.process.code is None, self.process.text[-2000:]
        return json.loads(self._state.read_text()) if self._state.exists() else {"connected": 0}

    def wait_connected(self) -> None:
        """Wait until every socket is open."""
        wait_until(
            lambda: self.state()["connected"] >= self.size * 0.99,
            timeout_s=90,
            every_s=0.1,
            what="all sockets are connected",
        )


class Prober:
    """Asks for the numbers twenty times a second and keeps how long it took."""

    def __init__(self, site: Site) -> None:
        self._port, self._token = site.port, site.token
        self.calm = True
        self.latencies: dict[bool, list[float]] = {True: [], False: []}
        self.statuses: Counter[str] = Counter()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ask no more."""
        self._stop.set()
        self._thread.join(35)

    def _run(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        headers = {"Authorization": f"Bearer {self._token}"}
        while not self._stop.wait(0.05):
            calm, began = self.calm, time.monotonic()
            forget_if_closed(connection)
            try:
                connection.request("GET", "/api/dashboard/system-stats", headers=headers)
                response = connection.getresponse()
                response.read()
            except (OSError, http.client.HTTPException):
                connection.close()
                continue
            self.statuses[str(response.status)] += 1
            self.latencies[calm].append((time.monotonic() - began) * 1000)


def many_sockets(result: Result, directory: Path, size: Size) -> None:
    """Sockets over a restart of the web process and of Redis, then keys."""
    reading, silent = size.pick((400, 100), (160, 40))
    settle_s = size.pick(20.0, 6.0)
    with Site(directory, result.backend) as site:
        crowd = Crowd(site, reading=reading, silent=silent)
        crowd.wait_connected()
        prober = Prober(site)
        load = site.load(size.pick(100, 30), settle_s, site.channels()).start().wait()
        restarted_at = _restart_web(site, crowd, prober)
        _restart_redis(site, settle_s)
        prober.stop()
        same = _same_keys(site, size.pick(20, 5), result)
        result.measure(drained_s=site.wait_drained(timeout_s=60))
        _judge_sockets(result, crowd.state(), restarted_at, reading)
        result.measure(statuses=dict(prober.statuses), storm_p99_ms=quantile(prober.latencies[False], 0.99))
        result.within("http_p99_ms", quantile(prober.latencies[True], 0.99), HTTP_MS)
        audit(site, result, [*load.posts, *same])


def _restart_web(site: Site, crowd: Crowd, prober: Prober) -> float:
    # While all come back at once they make each other wait; that is measured, but not the line.
    prober.calm = False
    (web,) = site.running("web")
    web.signal(signal.SIGTERM)
    web.exited_after(time.monotonic(), timeout_s=30)
    restarted_at = time.time()
    site.start_web()
    crowd.wait_connected()
    prober.calm = True
    return restarted_at


def _restart_redis(site: Site, settle_s: float) -> None:
    site.redis.kill()
    time.sleep(1)
    site.restart_redis()
    time.sleep(settle_s)


def _judge_sockets(result: Result, state: dict[str, Any], restarted_at: float, reading: int) -> None:
    result.measure(frames=state["frames"], broken=len(state["broken"]), closes=state["closes"])
    result.expect(not state["broken"], f"broken frames: {state['broken'][:3]}")
    after = [took for at, took in state["snapshots"] if at > restarted_at]
    result.expect(len(after) >= reading, f"only {len(after)} of {reading} saw a snapshot after the restart")
    result.within("snapshot_s", max(after, default=None), SNAPSHOT_S)


def _same_keys(site: Site, keys: int, result: Result) -> list[Any]:
    """Send each of `keys` notifications fifty times at the same moment."""
    channel = site.channels()
    firsts = []
    for number in range(keys):
        name = f"same-{number}"
        copies = [site.load(1, 0, channel, name=name, threads=1) for _ in range(AT_ONCE)]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(lambda one: one.start().wait(), copies))
        found = {copy.posts[0].id for copy in copies}
        result.expect(len(found) == 1 and None not in found, f"one key was answered with {found}")
        firsts.append(copies[0].posts[0])
    rows = site.database.number("SELECT count(*) FROM notification WHERE idempotency_key LIKE 'same-%'")
    result.measure(rows=rows)
    result.expect(rows == keys, f"{rows} rows for {keys} keys")
    return firsts
