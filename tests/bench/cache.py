"""The cache: hits beside other caches, stampedes, ages under load, cached routes beside a bare view."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any

import httpx

from tests.bench import cache_hits, http_load
from tests.bench.figures import Report, quantiles, ratios, rounds
from tests.support.ports import free_port
from tests.support.redis import RedisServer
from tests.support.stack import ROOT, Stack
from tests.support.waiting import wait_until
from vabhub import migrate
from vabhub.cache import store, use_store
from vabhub.settings import load_settings, use_settings

ROUTES = {"system-stats": "/api/dashboard/system-stats", "dashboard": "/api/dashboard/"}
TTL_S = 10


def measure(directory: Path, turns: int, *, quick: bool) -> Report:
    """Measure all of it."""
    report = Report("the cache, beside others and beside doing without")
    with _in_process(directory / "cache"):
        cache_hits.memory(report, turns, 2_000 if quick else 20_000)
        cache_hits.over_redis(report, turns, 200 if quick else 2_000)
        cache_hits.footprint(report)
    with Stack(_made(directory / "cold"), VABHUB_DASHBOARD_INTERVAL_S="86400") as stack:
        _cold(report, stack, _token(stack))
    with Stack(_made(directory / "served")) as stack:
        _routes(report, directory, stack, turns, 1.0 if quick else 4.0)
    with Stack(_made(directory / "two"), WEB_CONCURRENCY="2") as stack:
        _ages(report, stack, 5.0 if quick else 90.0)
    report.notes.append(
        "8 kept connections, one web process and a load process on the same two cores. A bare view is Flask\n"
        "with one function that returns the same bytes, in the same gunicorn worker class."
    )
    return report


def _routes(report: Report, directory: Path, stack: Stack, turns: int, seconds: float) -> None:
    token = _token(stack)
    for name, path in ROUTES.items():
        first = httpx.get(f"{stack.base_url}{path}", headers=token)
        body = directory / f"{name}.json"
        body.write_bytes(first.content)
        tag = {**token, "If-None-Match": first.headers["ETag"]}
        loads: dict[str, list[http_load.Load]] = {"bare": [], "ours": [], "304": []}
        with _bare(body) as bare:

            def run(kind: str, url: str, headers: dict[str, str], into: Any = loads) -> None:
                into[kind].append(http_load.run(url, headers, seconds=seconds))

            rounds(
                turns,
                lambda bare=bare, run=run: run("bare", bare, {}),  # type: ignore[misc]
                lambda path=path, run=run: run("ours", f"{stack.base_url}{path}", token),  # type: ignore[misc]
                lambda path=path, run=run, tag=tag: run("304", f"{stack.base_url}{path}", tag),  # type: ignore[misc]
            )
        _report_route(report, name, loads)


def _report_route(report: Report, name: str, loads: dict[str, list[http_load.Load]]) -> None:
    per_s = {kind: [load.per_s for load in many] for kind, many in loads.items()}
    for kind, values in per_s.items():
        report.add(f"{name}: {kind}", "/s", values)
    report.add(f"{name}: ours / bare", "x", ratios(per_s["ours"], per_s["bare"]), at_least=0.85)
    report.add(f"{name}: with If-None-Match / bare", "x", ratios(per_s["304"], per_s["bare"]), at_least=1.0)
    spread = [quantiles(load.latencies_s, 0.5, 0.99) for load in loads["ours"]]
    report.add(f"{name}: p99 / p50", "x", [p99 / p50 for p50, p99 in spread], at_most=3.0)


def _cold(report: Report, stack: Stack, token: dict[str, str]) -> None:
    """Time a request whose values were all forgotten, then the same one warm; then 100 of them at once."""
    url, admin = f"{stack.base_url}/api/dashboard/", stack.signed_in()
    cold, warm = [], []
    with httpx.Client(headers=token) as client:
        for _ in range(15):
            admin.delete("/api/cache?prefix=snapshot:dashboard")
            # What memory remembers of the last good reading is still there: only its age counts.
            cold.append(_seconds(client, url))
            warm.append(_seconds(client, url))
    report.add("dashboard, forgotten", "ms", [1000 * one for one in cold])
    report.add("dashboard, warm", "ms", [1000 * one for one in warm])
    report.add("share of the time saved", "%", [100 * (1 - median(warm) / median(cold))])
    admin.delete("/api/cache?prefix=snapshot:")
    load = http_load.run(url, token, connections=100, each=1)
    answered = sum(status == 200 for status in load.statuses)
    report.add("100 dashboards at once: answered", "", [float(answered)], at_least=100)
    report.add("100 dashboards at once: the last after", "s", [max(load.latencies_s)], at_most=1.0)


def _ages(report: Report, stack: Stack, seconds: float) -> None:
    """Watch a 10 s entry on two web processes under load, half of the time without the scheduler."""
    url, token = f"{stack.base_url}{ROUTES['system-stats']}", _token(stack)
    ages, backwards, count = [], 0, 0
    for half in range(2):
        if half:
            stack.named("scheduler").suspend()
        load = http_load.run(url, token, seconds=seconds / 2, connections=6, keep=True)
        count += len(load.answers)
        seen = [(began, ended, json.loads(body)["meta"]) for began, ended, body in load.answers]
        ages.append(max(meta["age_s"] for _, _, meta in seen))
        backwards += _backwards(seen)
    stack.named("scheduler").resume()
    report.add(f"oldest of {count} answers of a {TTL_S} s entry", "s", [max(ages)], at_most=TTL_S)
    report.add("answers that went back in time", "", [float(backwards)], at_most=0)


def _backwards(seen: list[tuple[float, float, dict[str, Any]]]) -> int:
    """Count answers older than one that had arrived before they were asked for."""
    arrived = sorted((ended, _moment(meta)) for _, ended, meta in seen)
    count, at, newest = 0, 0, 0.0
    for began, _, meta in sorted(seen, key=lambda one: one[0]):
        while at < len(arrived) and arrived[at][0] < began:
            newest, at = max(newest, arrived[at][1]), at + 1
        count += _moment(meta) < newest
    return count


def _moment(meta: dict[str, Any]) -> float:
    return datetime.fromisoformat(meta["collected_at"]).timestamp()


def _seconds(client: httpx.Client, url: str) -> float:
    began = time.perf_counter()
    client.get(url).raise_for_status()
    return time.perf_counter() - began


def _token(stack: Stack) -> dict[str, str]:
    answer = stack.signed_in().post("/api/tokens", json={"name": f"bench-{time.time()}", "scopes": ["read"]})
    return {"Authorization": f"Bearer {answer.json()['data']['token']}"}


def _made(directory: Path) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    return directory


@contextmanager
def _bare(body: Path) -> Iterator[str]:
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "-k", "web.gevent_worker.IdleAwareWorker"]
    command += ["--bind", f"127.0.0.1:{port}", "--keep-alive", "125", "--log-level", "error"]
    env = {**os.environ, "BENCH_BODY": str(body), "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen([*command, "tests.bench.bare_view:app"], cwd=ROOT, env=env)
    url = f"http://127.0.0.1:{port}/bare"
    try:
        wait_until(lambda: _answers(url), what="the bare view answers")
        yield url
    finally:
        process.terminate()
        process.wait(timeout=20)


def _answers(url: str) -> bool:
    try:
        return httpx.get(url).status_code == 200
    except httpx.TransportError:
        return False


@contextmanager
def _in_process(directory: Path) -> Iterator[None]:
    server = RedisServer(_made(directory) / "redis")
    port = free_port()
    server.start("--port", str(port))  # not every contender knows how to use a socket's path
    url = f"redis://127.0.0.1:{port}/0"
    use_settings(load_settings({"VABHUB_DATA_DIR": str(directory / "data"), "REDIS_URL": url}))
    migrate.upgrade()
    store().start()
    wait_until(lambda: store().hears, what="the store listens")
    try:
        yield
    finally:
        use_store(None)
        use_settings(None)
        server.remove()
