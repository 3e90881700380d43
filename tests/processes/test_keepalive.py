"""Idle connections are kept for a proxy to use again, and do not hold up a stop."""

from __future__ import annotations

from http.client import HTTPConnection
from pathlib import Path

import psutil
import pytest

from tests.support.stack import Stack


def ask(connection: HTTPConnection) -> None:
    """Ask on a connection that stays open, and read the whole answer."""
    connection.request("GET", "/healthz")
    answer = connection.getresponse()
    assert answer.status == 200
    answer.read()


def hears_nothing(connection: HTTPConnection, timeout_s: float) -> bool:
    """Wait; False when the other side ends the connection meanwhile."""
    connection.sock.settimeout(timeout_s)
    try:
        assert connection.sock.recv(1) == b""
    except TimeoutError:
        return True
    return False


@pytest.mark.parametrize("workers", ["1", "2"])
def test_idle_connections_are_kept_and_hung_up_at_a_stop(tmp_path: Path, workers: str) -> None:
    with Stack(tmp_path, WEB_CONCURRENCY=workers) as stack:
        connections = [HTTPConnection("127.0.0.1", stack.port, timeout=10) for _ in range(50)]
        for connection in connections:
            ask(connection)
        assert hears_nothing(connections[0], 4)
        ask(connections[0])
        web: psutil.Process = stack.named("gunicorn")
        web.terminate()
        web.wait(timeout=6)
        stack.wait_for("web exited with code 0")
        assert not any(hears_nothing(connection, 1) for connection in connections)
        for connection in connections:
            connection.close()
        assert "Traceback" not in stack.logs()
