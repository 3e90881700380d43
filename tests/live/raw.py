"""A client of bare bytes: it can say what no library would, and read nothing for as long as it likes."""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Self

from tests.live.server import WebServer


@dataclass(frozen=True)
class Frame:
    """One frame from the server: its first byte, its payload, and all of its bytes."""

    first: int
    payload: bytes
    raw: bytes


def masked(payload: bytes, first: int = 0x81) -> bytes:
    """Return a client's frame; its mask is zero."""
    size = len(payload)
    length = bytes((0x80 | size,)) if size < 126 else b"\xfe" + struct.pack(">H", size)
    return bytes((first,)) + length + b"\0\0\0\0" + payload


class RawSocket:
    """A client that shakes hands and then reads nothing, with a small receive buffer."""

    def __init__(self, server: WebServer, *messages: object, headers: str = "", token: str = "read") -> None:
        self._unread = b""
        self.sock = socket.socket()
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.sock.connect(("127.0.0.1", server.port))
        self.sock.sendall(
            b"GET /api/ws/ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
            + (f"Authorization: Bearer {token}\r\n" if token else "").encode()
            + f"{headers}\r\n".encode()
        )
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += self.sock.recv(1)
        self.answer = answer.decode()
        assert " 101 " in self.answer
        for message in messages:
            self.send(message)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.sock.close()

    def send(self, message: object) -> None:
        """Send one masked text frame."""
        self.sock.sendall(masked(json.dumps(message).encode()))

    def read_frames(self, *, pause_s: float = 20) -> list[bytes]:
        """Read until the end, or until nothing comes for a while; fail when a frame is torn."""
        self.sock.settimeout(pause_s)
        data = b""
        with suppress(ConnectionResetError, TimeoutError):
            while chunk := self.sock.recv(65_536):
                data += chunk
        return [frame.payload for frame in frames_of(data)]

    def read_until(self, wanted: Callable[[Frame], bool]) -> Frame:
        """Read until this frame has come; fail when the connection ends before."""
        self.sock.settimeout(20)
        while True:
            frames = list(frames_of(self._unread))
            for number, frame in enumerate(frames, 1):
                if wanted(frame):
                    self._unread = b"".join(one.raw for one in frames[number:]) + self._cut(frames)
                    return frame
            chunk = self.sock.recv(65_536)
            assert chunk, frames
            self._unread += chunk

    def close_code(self) -> int:
        """Read until the close frame and return its code."""
        return int.from_bytes(self.read_until(lambda frame: frame.first == 0x88).payload[:2], "big")

    def _cut(self, frames: list[Frame]) -> bytes:
        return self._unread[sum(len(frame.raw) for frame in frames) :]


def frames_of(data: bytes) -> Iterator[Frame]:
    """Take the frames apart; the last one may be cut."""
    while len(data) > 10 or (len(data) > 1 and data[1] < 126):
        assert data[0] in (0x81, 0x88, 0x89, 0x8A, 0xC1), data[:20]
        size, start = data[1], 2
        if size == 126:
            size, start = struct.unpack(">H", data[2:4])[0], 4
        elif size == 127:
            size, start = struct.unpack(">Q", data[2:10])[0], 10
        payload = data[start : start + size]
        if len(payload) < size:
            return  # the connection was cut inside the last frame
        if data[0] == 0x81:
            json.loads(payload)
        yield Frame(data[0], payload, data[: start + size])
        data = data[start + size :]
