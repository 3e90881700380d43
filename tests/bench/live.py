"""The live socket: messages a second, latency beside clients that never read, and what an idle one costs."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil

from tests.bench.crowd import Crowd
from tests.bench.figures import Report, quantiles, ratios, rounds
from tests.live.server import ROOT, WebServer, running
from tests.support.ports import free_port
from tests.support.redis import RedisServer
from tests.support.stack import Stack
from tests.support.waiting import wait_until
from vabhub import redis_client
from vabhub.events import bus
from vabhub.events.topics import Topic
from vabhub.settings import load_settings, use_settings

APP = "tests.bench.live_app:create_app()"
WAYS = ("hub", "bare", "naive", "starlette")
IDLE_S = 15.0
_PUBLISHES = 60


@dataclass(slots=True)
class Sizes:
    """How much is done; small ones show that it works."""

    clients: int
    burst: int
    idle: tuple[int, ...]
    readers: int
    dead: int


FULL = Sizes(1000, 100, (2000, 5000), 2000, 100)
QUICK = Sizes(100, 20, (200,), 100, 10)


@dataclass(slots=True)
class Figures:
    """What the rounds found."""

    rate: dict[str, list[float]] = field(default_factory=dict)
    late_ms: dict[str, list[list[float]]] = field(default_factory=dict)


def measure(directory: Path, turns: int, *, quick: bool) -> Report:
    """Measure all of it on one Redis."""
    sizes = QUICK if quick else FULL
    report = Report(f"the live socket, {sizes.clients} clients, 1 KB a message")
    redis = RedisServer(directory / "live-redis")
    redis.start()
    use_settings(load_settings({"VABHUB_DATA_DIR": str(directory / "live"), "REDIS_URL": redis.url}))
    try:
        _fan_out(report, directory, redis.url, turns, sizes)
        _lateness(report, directory, redis.url, turns, sizes)
        for number in sizes.idle:
            _idle(report, directory, redis.url, number)
        _http(report, directory, turns, sizes)
    finally:
        redis_client.close()
        use_settings(None)
        redis.remove()
    return report


def _fan_out(report: Report, directory: Path, redis_url: str, turns: int, sizes: Sizes) -> None:
    found = Figures()
    with ExitStack() as stack:
        ours = stack.enter_context(_server(directory / "fan", redis_url))
        packed = stack.enter_context(_server(directory / "fan-packed", redis_url))
        theirs = stack.enter_context(_starlette(directory))
        bus.publish(Topic.SYSTEM, {})
        crowds = {
            "hub": stack.enter_context(Crowd(ours.port, sizes.clients)),
            "deflate": stack.enter_context(Crowd(packed.port, sizes.clients, deflated=True)),
            "starlette": stack.enter_context(Crowd(theirs, sizes.clients)),
        }
        steps = [
            _step(found, way, way, port, crowds[crowd], sizes.burst)
            for way, port, crowd in (
                ("hub", ours.port, "hub"),
                ("bare", ours.port, "hub"),
                ("naive", ours.port, "hub"),
                ("starlette", theirs, "starlette"),
            )
        ]
        steps.append(_step(found, "deflate", "hub", packed.port, crowds["deflate"], sizes.burst))
        rounds(turns, *steps)
    _report_rates(report, found)


def _step(found: Figures, name: str, way: str, port: int, crowd: Crowd, burst: int) -> Callable[[], None]:
    client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=120)

    def push() -> None:
        crowd.drain()
        client.get("/healthz")  # the connection is open from here on
        with ThreadPoolExecutor(1) as pool:
            began, before = time.perf_counter(), crowd.received
            asked = pool.submit(lambda: client.get(f"/bench/{way}?n={burst}").json())
            crowd.read_until(asked.done)
            expected = asked.result()["bytes"]
            crowd.read_until(lambda: crowd.received - before >= expected)
        found.rate.setdefault(name, []).append(burst * len(crowd.sockets) / (time.perf_counter() - began))

    return push


def _report_rates(report: Report, found: Figures) -> None:
    names = {
        "hub": "our hub",
        "bare": "a bare loop over the same sockets",
        "naive": "ws.send a client, same sockets",
        "starlette": "Starlette on uvicorn",
        "deflate": "our hub, permessage-deflate",
    }
    for way, name in names.items():
        report.add(f"messages received: {name}", "1/s", found.rate[way])
    report.add("our hub / bare loop", "", ratios(found.rate["hub"], found.rate["bare"]), at_least=0.8)
    report.add("our hub / ws.send", "", ratios(found.rate["hub"], found.rate["naive"]), at_least=1.0)
    report.add("our hub / Starlette", "", ratios(found.rate["hub"], found.rate["starlette"]), at_least=1.0)
    report.add("with deflate / without", "", ratios(found.rate["deflate"], found.rate["hub"]), at_least=0.5)


def _lateness(report: Report, directory: Path, redis_url: str, turns: int, sizes: Sizes) -> None:
    found = Figures()
    with _server(directory / "late", redis_url) as server, Crowd(server.port, sizes.clients) as crowd:
        rounds(
            turns, lambda: _publish_to(crowd, found, "alone"), lambda: _beside(server, crowd, found, sizes)
        )
    for name in ("alone", "beside"):
        for share, values in zip((50, 99), zip(*found.late_ms[name], strict=True), strict=True):
            what = "" if name == "alone" else f", beside {sizes.dead} that never read"
            report.add(f"publish → last of {sizes.clients}{what}: p{share}", "ms", values)
    p99 = [[one[1] for one in found.late_ms[name]] for name in ("beside", "alone")]
    report.add("p99 beside them / alone", "", ratios(*p99), at_most=1.2)


def _beside(server: WebServer, crowd: Crowd, found: Figures, sizes: Sizes) -> None:
    with Crowd(server.port, sizes.dead, deaf=True):
        for _ in range(8):  # their buffers are full from here on
            bus.publish(Topic.SYSTEM, {"pad": "x" * 60_000})
        crowd.drain()
        _publish_to(crowd, found, "beside")
    wait_until(lambda: _open(server) == len(crowd.sockets), what="the dead are gone")


def _publish_to(crowd: Crowd, found: Figures, name: str) -> None:
    crowd.drain()
    late = []
    for number in range(_PUBLISHES):
        began = time.perf_counter()
        bus.publish(Topic.SYSTEM, {"n": number, "pad": "x" * 900})
        late.append((crowd.heard() - began) * 1000)
    found.late_ms.setdefault(name, []).append(quantiles(late, 0.5, 0.99))


def _idle(report: Report, directory: Path, redis_url: str, number: int) -> None:
    with _server(directory / f"idle-{number}", redis_url, VABHUB_MAX_SOCKETS=str(number + 10)) as server:
        worker = psutil.Process(server.process.pid).children()[0]
        before = worker.memory_full_info().pss
        began = time.perf_counter()
        with Crowd(server.port, number) as crowd:
            dialled_s = time.perf_counter() - began
            crowd.drain()
            busy = sum(worker.cpu_times()[:2])
            crowd.drain(quiet_s=IDLE_S)
            share = (sum(worker.cpu_times()[:2]) - busy) / IDLE_S * 100
            memory = (worker.memory_full_info().pss - before) / number / 1024
    report.add(f"{number} idle: memory each (PSS)", "KiB", [memory], at_most=40)
    report.add(f"{number} idle: processor", "% of a core", [share], at_most=2)
    report.add(f"{number}: connects, one after another", "1/s", [number / dialled_s])


def _http(report: Report, directory: Path, turns: int, sizes: Sizes) -> None:
    place = directory / "live-http"
    place.mkdir()
    with Stack(place, VABHUB_MAX_SOCKETS=str(sizes.readers + 50)) as stack:
        client = stack.signed_in()
        made = client.post("/api/tokens", json={"name": "bench", "scopes": ["read"]}).json()
        without = [_p99_ms(client, sizes) for _ in range(turns)]
        with Crowd(stack.port, sizes.readers, token=made["data"]["token"]) as crowd:
            with ThreadPoolExecutor(1) as pool:
                asked = pool.submit(lambda: [_p99_ms(client, sizes) for _ in range(turns)])
                crowd.read_until(asked.done, timeout_s=600)
            beside = asked.result()
    report.add("GET /api/dashboard/ without sockets: p99", "ms", without)
    report.add(f"GET /api/dashboard/ beside {sizes.readers} that receive: p99", "ms", beside)
    report.add("p99 beside them / without", "", ratios(beside, without), at_most=2.0)


def _p99_ms(client: httpx.Client, sizes: Sizes) -> float:
    took = []
    for _ in range(300 if sizes is FULL else 30):
        began = time.perf_counter()
        client.get("/api/dashboard/").raise_for_status()
        took.append((time.perf_counter() - began) * 1000)
        time.sleep(0.02)
    return quantiles(took, 0.99)[0]


def _open(server: WebServer) -> int:
    return int(httpx.get(f"{server.url}/sockets", timeout=5).json()["open"])


@contextmanager
def _server(directory: Path, redis_url: str, **env: str) -> Iterator[WebServer]:
    directory.mkdir(parents=True, exist_ok=True)
    with running(directory, redis_url, app=APP, **env) as server:
        yield server


@contextmanager
def _starlette(directory: Path) -> Iterator[int]:
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "--factory", "tests.bench.live_app:starlette_app"]
    command += ["--port", str(port), "--log-level", "warning", "--ws-per-message-deflate", "false"]
    with (directory / "starlette.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
    try:
        wait_until(lambda: _is_up(port), timeout_s=30, what="uvicorn answers")
        yield port
    finally:
        process.terminate()
        process.wait(timeout=20)


def _is_up(port: int) -> bool:
    with suppress(httpx.TransportError):
        return httpx.get(f"http://127.0.0.1:{port}/healthz", timeout=2).is_success
    return False
