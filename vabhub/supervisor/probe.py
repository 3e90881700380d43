"""Asks our own web process a question without waiting for the answer."""

from __future__ import annotations

import socket
import time
from contextlib import suppress

_PATIENCE_S = 5.0


class Probe:
    """One GET at a time over a raw socket: an HTTP client would double the supervisor's memory."""

    def __init__(self, host: str, port: int) -> None:
        self._address = (host, port)
        self._connection: socket.socket | None = None
        self._reply = b""
        self._asked_at = 0.0

    def ask(self, path: str) -> None:
        """Send the request; nothing happens when nobody listens yet."""
        self.close()
        with suppress(OSError):
            connection = socket.create_connection(self._address, timeout=0.2)
            connection.sendall(
                f"GET {path} HTTP/1.1\r\nHost: {self._address[0]}\r\nConnection: close\r\n\r\n".encode()
            )
            connection.setblocking(False)
            self._connection, self._reply, self._asked_at = connection, b"", time.monotonic()

    def is_waiting(self) -> bool:
        """Say whether an answer may still come."""
        return self._connection is not None and time.monotonic() - self._asked_at < _PATIENCE_S

    def status(self) -> int | None:
        """Return the answer's status once it has come; None before, 0 when the connection broke."""
        if self._connection is None:
            return None
        try:
            while data := self._connection.recv(65536):
                self._reply += data
        except BlockingIOError:
            return None
        except OSError:
            self._reply = b""
        self.close()
        words = self._reply[:64].split()
        return int(words[1]) if len(words) > 1 and words[1].isdigit() else 0

    @property
    def body(self) -> str:
        """The last answer's body."""
        return self._reply.partition(b"\r\n\r\n")[2].decode("utf-8", "replace").strip()

    def close(self) -> None:
        """Forget the question."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
