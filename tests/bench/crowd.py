"""Many raw clients in one process: they shake hands, subscribe, and count what arrives."""

from __future__ import annotations

import json
import selectors
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Self

from tests.live.raw import masked

DEFLATE = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"
_PONG = masked(b"", 0x8A)
_PONG_EVERY_S = 20.0
_LOOK_EVERY_S = 0.005
_SUBSCRIBE = masked(json.dumps({"type": "subscribe", "topics": ["system"]}).encode())


class Crowd:
    """So many sockets on one server."""

    def __init__(
        self, port: int, size: int, *, deflated: bool = False, token: str = "read", deaf: bool = False
    ) -> None:
        self.received = 0
        self._port = port
        self._head = _request(token, DEFLATE if deflated else "")
        self._selector = selectors.DefaultSelector()
        self.sockets = [self._dial(small=deaf) for _ in range(size)]
        self.closed = 0
        self._ponged_at = time.perf_counter()
        if not deaf:
            for sock in self.sockets:
                sock.setblocking(False)
                self._selector.register(sock, selectors.EVENT_READ)

    def drain(self, *, quiet_s: float = 0.3) -> int:
        """Read until nothing comes for a while; return the bytes."""
        before, heard_at = self.received, time.perf_counter()
        while time.perf_counter() - heard_at < quiet_s:
            if self._read(_LOOK_EVERY_S):
                heard_at = time.perf_counter()
        return self.received - before

    def read_until(self, done: Callable[[], bool], *, timeout_s: float = 60) -> None:
        """Read until this holds."""
        deadline = time.perf_counter() + timeout_s
        while not done():
            self._read(_LOOK_EVERY_S)
            assert time.perf_counter() < deadline, f"{self.received} bytes came, and no more"

    def heard(self, timeout_s: float = 30) -> float:
        """Wait until every client has received something; return when the last one did."""
        left = set(self.sockets)
        deadline = time.perf_counter() + timeout_s
        while left:
            left -= self._read(_LOOK_EVERY_S)
            assert time.perf_counter() < deadline, f"{len(left)} heard nothing"
        return time.perf_counter()

    def close(self) -> None:
        """End all of them."""
        self._selector.close()
        for sock in self.sockets:
            sock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _pong(self) -> None:
        """Show that everybody is alive, before the server asks."""
        if time.perf_counter() - self._ponged_at > _PONG_EVERY_S:
            self._ponged_at = time.perf_counter()
            for sock in self.sockets:
                with suppress(OSError):
                    sock.send(_PONG)

    def _read(self, wait_s: float) -> set[socket.socket]:
        self._pong()
        heard = set()
        for key, _ in self._selector.select(wait_s):
            sock: socket.socket = key.fileobj  # type: ignore[assignment]
            with suppress(BlockingIOError):
                data = sock.recv(262_144)
                self.received += len(data)
                heard.add(sock)
                if not data:
                    self._selector.unregister(sock)
                    self.closed += 1
        return heard

    def _dial(self, *, small: bool) -> socket.socket:
        sock = socket.socket()
        if small:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.settimeout(30)
        sock.connect(("127.0.0.1", self._port))
        sock.sendall(self._head)
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += sock.recv(1)
        assert b" 101 " in answer, answer
        sock.sendall(_SUBSCRIBE)
        return sock


def _request(token: str, headers: str) -> bytes:
    return (
        "GET /api/ws/ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
        f"Authorization: Bearer {token}\r\n{headers}\r\n"
    ).encode()
