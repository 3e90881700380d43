"""The real processes, from the Procfile's own lines."""

from __future__ import annotations

import signal
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.support.stack import Stack
from tests.support.waiting import wait_until


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One stack for the tests that leave it as they found it."""
    with Stack(tmp_path_factory.mktemp("stack")) as running:
        yield running


def live(stack: Stack) -> ClientConnection:
    """Open a live socket with the administrator's cookie."""
    cookie = stack.signed_in().cookies["vabhub_session"]
    return connect(
        f"ws://127.0.0.1:{stack.port}/api/ws/ws",
        additional_headers={"Cookie": f"vabhub_session={cookie}"},
        origin=stack.base_url,  # type: ignore[arg-type]
    )


def test_it_is_ready_and_somebody_can_sign_in(stack: Stack) -> None:
    assert stack.client().get("/readyz").status_code == 200
    assert stack.client().get("/healthz").status_code == 200
    assert stack.signed_in().get("/api/dashboard/system-stats").status_code == 200


def test_nothing_warns_or_fails_at_the_start(stack: Stack) -> None:
    text = stack.logs()
    for word in ("Traceback", "MonkeyPatchWarning", "Warning:", "[error", "[critical", "next try in"):
        assert word not in text, text
    assert stack.errors() == ""


def test_the_scheduler_feeds_the_dashboard(stack: Stack) -> None:
    client = stack.signed_in()

    def fresh() -> bool:
        meta = client.get("/api/dashboard/system-stats").json()["meta"]
        return meta["status"] == "ok" and meta["age_s"] is not None

    wait_until(fresh, what="system numbers with an age")


def test_only_the_owner_may_enter_the_redis_directory(stack: Stack) -> None:
    for folder in (stack.data_dir, stack.data_dir / "redis"):
        assert folder.stat().st_mode & 0o777 == 0o700
    assert (stack.data_dir / "secret_key").stat().st_mode & 0o777 == 0o600


def test_it_stops_quickly_with_live_and_silent_sockets(tmp_path: Path) -> None:
    with Stack(tmp_path) as stack, ExitStack() as open_ones:
        sockets = [open_ones.enter_context(live(stack)) for _ in range(5)]
        for _ in range(5):  # connected, and never a word
            open_ones.enter_context(socket.create_connection(("127.0.0.1", stack.port)))
        began = time.monotonic()
        stack.stop()
        assert time.monotonic() - began < 8
        assert "did not stop" not in stack.logs()
        for connection in sockets:
            with pytest.raises(ConnectionClosed) as closed:
                while True:
                    connection.recv(timeout=5)
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1001


@pytest.mark.parametrize("part", ["gunicorn", "-m workers", "-m scheduler", "redis-server"])
def test_each_process_comes_back_after_a_kill(tmp_path: Path, part: str) -> None:
    with Stack(tmp_path) as stack:
        stack.named(part).kill()
        stack.wait_for("was killed by SIGKILL; next try in 0.5 s")
        stack.named(part)
        client = stack.client()

        def ready() -> bool:
            with suppress(httpx.HTTPError):
                return client.get("/readyz").status_code == 200
            return False

        wait_until(ready, timeout_s=30, what="ready again")


def test_a_kill_of_the_supervisor_leaves_no_process(tmp_path: Path) -> None:
    with Stack(tmp_path) as stack:
        assert len(stack.processes()) >= 6  # guard, redis, gunicorn twice, worker, scheduler
        stack.signal(signal.SIGKILL)
        stack.process.wait(timeout=10)
        wait_until(lambda: not stack.leftovers(), timeout_s=5, what="all processes gone")
        stack.expect_dead()
