"""What waits to be written to one socket: whole frames in order, the newest state only, nobody blocked.

`put_*` writes at once as far as the kernel takes it and never waits. What does not fit stays here, and a
thread (a greenlet under gevent) that lives only while the socket is blocked writes the rest. So the hub
never waits for a client, and a client that reads costs neither a thread nor a copy.
"""

from __future__ import annotations

import contextlib
import select
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from vabhub.events.topics import Topic
from web.frames import Push

SEND_DEADLINE_S = 10.0
MAX_EVENTS = 256
MAX_REPLIES = 256
# The kernel grows a send buffer to megabytes by itself: too much for a client that does not read.
_SEND_BUFFER_BYTES = 128 * 1024
_POLL_MS = 500
_AT_ONCE = int(socket.MSG_DONTWAIT)  # the enum itself costs as much as half of a send


class Mailbox:
    """Frames for one client. Replies come first, then events (all of them), then the newest of each state."""

    __slots__ = (
        "_closed",
        "_drainer",
        "_events",
        "_frame_began",
        "_held",
        "_last",
        "_lock",
        "_lost_notice",
        "_raw",
        "_replies",
        "_rest",
        "_sock",
        "_states",
        "deflates",
        "patched",
        "was_slow",
    )

    def __init__(self, sock: Any, lost_notice: Callable[[], bytes], *, deflates: bool = False) -> None:
        _prepare(sock)
        self.deflates = deflates
        self.patched: frozenset[Topic] = frozenset()
        self._sock = sock
        # gevent's sockets wait inside send(); the plain socket below takes MSG_DONTWAIT at its word.
        self._raw = getattr(sock, "_sock", sock)
        self._lock = threading.Lock()
        self._replies: deque[bytes] = deque()
        self._events: deque[bytes] = deque()
        self._states: dict[Topic, Push] = {}
        # Which message of a patched topic the client was sent last: only to that a change can be added.
        self._held: dict[Topic, int] = {}
        self._rest: bytes | memoryview | None = None
        self._frame_began = 0.0
        self._drainer: threading.Thread | None = None
        self._lost_notice = lost_notice
        self._last = False
        self._closed = False
        self.was_slow = False

    def put_reply(self, frame: bytes) -> None:
        """Queue an answer or a control frame."""
        with self._lock:
            if len(self._replies) < MAX_REPLIES and not self._last:
                self._replies.append(frame)
                self._pump()

    def put_state(self, topic: Topic, push: Push) -> None:
        """Queue the newest value of a topic; an older one that still waits is dropped."""
        with self._lock:
            if self._last:
                return
            if self._drainer is not None:
                self._states[topic] = push
                return
            # Nothing waits: straight to the kernel. A publish to thousands is little else, so this is flat.
            plain = not (self.deflates or push.patchable)
            frame = push.whole.plain if plain else self._frame_of(topic, push)
            try:
                sent = self._raw.send(frame, _AT_ONCE)
            except BlockingIOError:
                sent = 0
            except OSError:
                self._closed = True  # its reader will notice
                return
            if sent < len(frame):
                self._keep_rest(memoryview(frame)[sent:])

    def put_event(self, _topic: Topic, push: Push) -> None:
        """Queue what may not be lost; when too many wait, the client is told to read them by REST instead."""
        with self._lock:
            if self._last:
                return
            frame = push.whole.frame(deflated=self.deflates)
            if len(self._events) >= MAX_EVENTS:
                self._events.clear()
                frame = self._lost_notice()
            self._events.append(frame)
            self._pump()

    def forget(self, topic: Topic) -> None:
        """Drop the state of a topic that is no longer wanted; the next one is sent whole."""
        with self._lock:
            self._states.pop(topic, None)
            self._held.pop(topic, None)

    def put_last(self, frame: bytes) -> None:
        """Queue the close frame: what waited is dropped and nothing is taken after it."""
        with self._lock:
            if not self._last:
                self._last = True
                self._states.clear()
                self._events.clear()
                self._replies.append(frame)
                self._pump()

    def hang_up(self) -> None:
        """End the connection in both directions: wakes whoever reads from or waits for the socket."""
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Write nothing from here on; afterwards the socket's descriptor may be closed and used again."""
        with self._lock:
            self._closed = self._last = True
            drainer = self._drainer
        self.hang_up()
        if drainer is not None:
            drainer.join()

    def _keep_rest(self, rest: memoryview) -> None:
        self._rest = rest
        self._frame_began = time.monotonic()
        self._pump()

    def _pump(self) -> None:
        """Write what the kernel takes; called with the lock held."""
        if self._drainer is not None or self._closed or self._write():
            return
        self._drainer = threading.Thread(target=self._drain, name="socket-drain", daemon=True)
        self._drainer.start()

    def _write(self) -> bool:
        """Return whether all is written (or the socket is dead, which its reader will notice)."""
        while True:
            if self._rest is None and not self._take_next():
                return True
            rest = self._rest
            assert rest is not None
            try:
                sent = self._raw.send(rest, _AT_ONCE)
            except BlockingIOError:
                return False
            except OSError:
                self._closed = True
                return True
            self._rest = None if sent == len(rest) else memoryview(rest)[sent:]

    def _take_next(self) -> bool:
        if self._replies:
            self._rest = self._replies.popleft()
        elif self._events:
            self._rest = self._events.popleft()
        elif self._states:
            self._rest = self._next_state()
        else:
            return False
        self._frame_began = time.monotonic()
        return True

    def _next_state(self) -> bytes:
        topic = next(iter(self._states))
        return self._frame_of(topic, self._states.pop(topic))

    def _frame_of(self, topic: Topic, push: Push) -> bytes:
        # Chosen when it is written: a client that was too slow for the message before gets this one whole.
        if not push.patchable or topic not in self.patched:
            return push.whole.frame(deflated=self.deflates)
        frame = push.frame(self._held.get(topic), deflated=self.deflates)
        self._held[topic] = push.seq
        return frame

    def _drain(self) -> None:
        """Write the rest as the client reads; give up when one frame takes longer than the deadline."""
        poller = select.poll()
        poller.register(self._sock.fileno(), select.POLLOUT)
        while True:
            poller.poll(_POLL_MS)
            with self._lock:
                if self._closed or self._write():
                    self._drainer = None
                    return
                if time.monotonic() - self._frame_began > SEND_DEADLINE_S:
                    self._closed, self._drainer, self.was_slow = True, None, True
                    break
        self.hang_up()


def _prepare(sock: Any) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER_BYTES)
    if sock.family in (socket.AF_INET, socket.AF_INET6):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
