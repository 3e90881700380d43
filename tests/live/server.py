"""A real gunicorn with the socket's test application, and a client that speaks JSON."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self

import httpx
import psutil
from websockets.sync.client import ClientConnection, connect

from tests.support.ports import free_port
from tests.support.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]


class WebServer:
    """One gunicorn master with one worker."""

    def __init__(
        self,
        directory: Path,
        redis_url: str,
        *options: str,
        app: str = "tests.live.app:create_app()",
        **env: str,
    ) -> None:
        self.options = options
        self.port = free_port()
        self.log = directory / "web.log"
        self.url = f"http://127.0.0.1:{self.port}"
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "PYTHONDONTWRITEBYTECODE": "1",
            "HOST": "127.0.0.1",
            "PORT": str(self.port),
            "VABHUB_DATA_DIR": str(directory / "data"),
            "REDIS_URL": redis_url,
            **env,
        }
        command = [
            sys.executable,
            "-m",
            "gunicorn",
            "--config",
            str(ROOT / "web/gunicorn_conf.py"),
            *options,
            app,
        ]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        wait_until(self._answers, timeout_s=30, what="gunicorn answers")

    def connect(self, path: str = "/api/ws/ws", *, token: str | None = "read", **options: Any) -> Client:
        """Open a socket with a Bearer token."""
        headers = dict(options.pop("additional_headers", {}))
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        options.setdefault("compression", None)
        options.setdefault("proxy", None)
        url = f"ws://127.0.0.1:{self.port}{path}"
        return Client(connect(url, additional_headers=headers, close_timeout=2, **options))

    def stop(self) -> int:
        """Ask it to end and wait."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=25)

    def kill(self) -> None:
        """End it and its worker by force."""
        with suppress(psutil.NoSuchProcess):
            family = psutil.Process(self.process.pid)
            for process in [*family.children(recursive=True), family]:
                with suppress(psutil.NoSuchProcess):
                    process.kill()
        self.process.wait(timeout=10)

    def _answers(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        with suppress(httpx.TransportError):
            return httpx.get(f"{self.url}/healthz", timeout=2).is_success
        return False


class Talk:
    """How the tests speak with the socket, whatever program speaks for them."""

    def send(self, message: Any) -> None:
        """Send text and bytes as they are and anything else as JSON."""
        raise NotImplementedError

    def send_all(self, messages: list[Any]) -> None:
        """Send one right after the other."""
        for message in messages:
            self.send(message)

    def receive(self, timeout_s: float = 10) -> Any:
        """Return the next message."""
        raise NotImplementedError

    def close_code(self, timeout_s: float = 10) -> int | None:
        """Wait until the server closes and return its code."""
        raise NotImplementedError

    def close(self) -> None:
        """End the connection."""
        raise NotImplementedError

    def until(self, kind: str, timeout_s: float = 10) -> Any:
        """Return the next message of a type, dropping others."""
        while True:
            message = self.receive(timeout_s)
            if message["type"] == kind:
                return message

    def ask(self, message: Any) -> Any:
        """Send and return the next message."""
        self.send(message)
        return self.receive()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Client(Talk):
    """A WebSocket client of another make, which talks JSON."""

    def __init__(self, opening: Any) -> None:
        self._opening = opening
        self.connection: ClientConnection = opening.__enter__()

    def send(self, message: Any) -> None:
        self.connection.send(message if isinstance(message, str | bytes) else json.dumps(message))

    def receive(self, timeout_s: float = 10) -> Any:
        return json.loads(self.connection.recv(timeout=timeout_s))

    def close_code(self, timeout_s: float = 10) -> int | None:
        wait_until(
            lambda: self._read_out() or self.connection.close_code, timeout_s=timeout_s, what="a close"
        )
        return self.connection.close_code

    def close(self) -> None:
        self._opening.__exit__(None, None, None)

    def _read_out(self) -> None:
        with suppress(TimeoutError, Exception):
            while True:
                self.connection.recv(timeout=0.02)


@contextmanager
def running(directory: Path, redis_url: str, *options: str, **env: Any) -> Iterator[WebServer]:
    """Run a server for the length of the block."""
    server = WebServer(directory, redis_url, *options, **env)
    try:
        yield server
    finally:
        server.kill()
