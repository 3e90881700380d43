"""A provider on loopback: a keep-alive HTTP server that records requests and answers as it is told."""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.support.waiting import wait_until


@dataclass(frozen=True)
class Request:
    """What arrived."""

    method: str
    path: str
    headers: Mapping[str, str]  # names in lower case
    body: bytes

    def json(self) -> Any:
        """Return the body, decoded."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Answer:
    """What to send back. `hang` answers nothing until the sink stops; `reset` cuts the connection."""

    status: int = 200
    body: bytes | str | Mapping[str, Any] = b"ok"
    headers: Mapping[str, str] = field(default_factory=dict)
    hang: bool = False
    reset: bool = False
    torn: bool = False  # promises more bytes than it sends

    def payload(self) -> bytes:
        """Return the body's bytes."""
        if isinstance(self.body, bytes):
            return self.body
        return (self.body if isinstance(self.body, str) else json.dumps(self.body)).encode()


class Sink:
    """Answers 200 "ok" unless a script says otherwise.

    `script` holds answers for the next requests, in order; `respond` (when set) decides for each.
    """

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.script: deque[Answer] = deque()
        self.respond: Callable[[Request], Answer] | None = None
        self.released = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        )

    @property
    def url(self) -> str:
        """The address, without a slash at the end."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def start(self) -> Sink:
        """Begin to listen."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Release what hangs and close."""
        self.released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=10)

    def wait_for(self, number: int, *, timeout_s: float = 20) -> list[Request]:
        """Wait until `number` requests have arrived and return all of them."""
        wait_until(
            lambda: len(self.requests) >= number, timeout_s=timeout_s, what=f"{number} requests at the sink"
        )
        return list(self.requests)

    def answer(self, request: Request) -> Answer:
        """Record the request and choose what it gets."""
        self.requests.append(request)
        if self.respond is not None:
            return self.respond(request)
        try:
            return self.script.popleft()
        except IndexError:
            return Answer()


def _handler(sink: Sink) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            answer = sink.answer(Request(self.command, self.path, headers, body))
            if answer.hang:
                sink.released.wait()
                self.close_connection = True
            elif answer.reset:
                linger = struct.pack("ii", 1, 0)
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                self.connection.close()
                self.close_connection = True
            else:
                self._send(answer)

        def _send(self, answer: Answer) -> None:
            payload = answer.payload()
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(payload) + (100 if answer.torn else 0)))
            self.end_headers()
            try:
                self.wfile.write(payload)
            except OSError:
                self.close_connection = True  # the client had read enough
            if answer.torn:
                self.close_connection = True

        do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = _serve  # noqa: N815

        def handle(self) -> None:
            try:
                super().handle()
            except (ConnectionError, ValueError):
                self.close_connection = True  # cut by the client or by ourselves

        def log_message(self, format: str, *args: Any) -> None:
            pass

    return Handler
