"""What one client sends: frames parsed, messages put together, and bounds on both."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from wsproto.connection import Connection, ConnectionState, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Event, Ping, Pong, TextMessage

from web.deflate import BoundedInflate
from web.frames import CloseCode

MAX_MESSAGE_BYTES = 64 * 1024
# Empty fragments add nothing to a message's size: they are counted too.
MAX_PARTS = 1024


@dataclass(frozen=True, slots=True)
class Message:
    """A whole message; `text` is None for a binary one."""

    text: str | None


@dataclass(frozen=True, slots=True)
class Broken:
    """The client broke the protocol or a bound; nothing after it can be read."""

    code: int
    reason: str = ""


Heard = Message | Broken | Ping | Pong | CloseConnection


class Inbox:
    """Reads a client's bytes."""

    def __init__(self, *, deflates: bool) -> None:
        extensions = [BoundedInflate(MAX_MESSAGE_BYTES)] if deflates else []
        self._parser = Connection(ConnectionType.SERVER, extensions)  # type: ignore[arg-type]
        self._parts: list[Any] = []
        self._size = self._count = 0
        self._broken = False

    def read(self, data: bytes) -> Iterator[Heard]:
        """Yield what these bytes complete; nothing any more after Broken."""
        if self._broken:
            return
        self._parser.receive_data(data)
        for event in self._parser.events():
            heard = self._heard(event)
            if heard is not None:
                yield heard
            if self._broken:
                return

    def _heard(self, event: Event) -> Heard | None:
        if isinstance(event, TextMessage | BytesMessage):
            return self._collect(event)
        if isinstance(event, CloseConnection) and self._parser.state is ConnectionState.OPEN:
            return self._break(int(event.code))  # not the client's: wsproto's own 1002, 1007 or 1009
        return event if isinstance(event, Ping | Pong | CloseConnection) else None

    def _collect(self, event: TextMessage | BytesMessage) -> Message | Broken | None:
        self._size += len(event.data if isinstance(event, BytesMessage) else event.data.encode())
        self._count += 1
        if self._size > MAX_MESSAGE_BYTES or self._count > MAX_PARTS:
            return self._break(CloseCode.TOO_BIG, "message over 64 KB, or in too many parts")
        if event.data:
            self._parts.append(event.data)
        if not event.message_finished:
            return None
        parts, self._parts, self._size, self._count = self._parts, [], 0, 0
        return Message("".join(parts) if isinstance(event, TextMessage) else None)

    def _break(self, code: int, reason: str = "") -> Broken:
        self._broken = True
        self._parts = []
        return Broken(code, reason)
