"""The fan-out of one web process: one listener on the bus, one encoded frame for all, a mailbox a client."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any, Protocol

import redis

from vabhub import clock
from vabhub.events import bus
from vabhub.events.topics import STATE_TOPICS, Topic
from vabhub.log import get_logger
from web import frames
from web.deltas import PATCHED, DownloadDeltas
from web.followers import Followers
from web.frames import CloseCode, Opcode, Push, Text
from web.hub_metrics import PUSHES, SLOW, SOCKETS
from web.mailbox import Mailbox
from web.places import Place, Places

log = get_logger(__name__)

TICK_S = 1.0
REVOCATION_CHECK_S = 2.0
_YIELD_EVERY = 200
_FAREWELL_S = 1.0
# Messages that waited in the connection while the last values were read are older than those.
_OVERLAP_S = 2.0


class Member(Protocol):
    """What the hub needs of a client."""

    mailbox: Mailbox

    def tick(self, now: float) -> None: ...

    def check_credential(self, known: dict[Any, bool]) -> None: ...

    def close(self, code: int, reason: str = "") -> None: ...


def text_message(**fields: Any) -> bytes:
    """Return the fields as JSON, with the time."""
    fields["timestamp"] = clock.isoformat(clock.utcnow())
    return json.dumps(fields, separators=(",", ":")).encode()


def text_frame(**fields: Any) -> bytes:
    """Return a text frame with the fields as JSON and the time."""
    return frames.encode(Opcode.TEXT, text_message(**fields))


def resync_notice() -> bytes:
    """Return the frame that tells a client that it missed events and must read them by REST."""
    return frames.encode(Opcode.TEXT, resync_message())


def resync_message() -> bytes:
    """Return what such a frame says."""
    return text_message(
        type="resync",
        topic=Topic.NOTIFICATIONS,
        code="CATCH_UP",
        message="Events were skipped: read GET /api/notifications?after=<cursor>.",
    )


class Hub:
    """Who is connected, what they want, and the newest frame of each topic."""

    def __init__(self, *, max_sockets: int) -> None:
        self._places = Places(max_sockets)
        self._lock = threading.Lock()
        self._publishing = threading.Lock()
        self._members: set[Member] = set()
        self._by_topic: dict[Topic, set[Member]] = {topic: set() for topic in Topic}
        self._latest: dict[Topic, Push] = {}
        self._deltas = DownloadDeltas()
        self._resynced_at = 0.0
        self._redis_up: bool | None = None
        self._stop = threading.Event()
        self._occupied = threading.Event()
        self._followers = Followers(self._count, self._stop)

    @property
    def stopping(self) -> bool:
        """Whether the process is about to end."""
        return self._stop.is_set()

    def start(self) -> None:
        """Start listening and the two clocks."""
        for target in (self._listen, self._tick_all, self._check_all, self._followers.run):
            threading.Thread(target=target, name=f"hub-{target.__name__}", daemon=True).start()

    def reserve(self, *, stranger: bool) -> Place | None:
        """Take one of the places for a socket; None when all are taken or the process is about to end."""
        return None if self.stopping else self._places.take(stranger=stranger)

    def add(self, member: Member) -> None:
        """Let a connected client in."""
        with self._lock:
            self._members.add(member)
            SOCKETS.set(len(self._members))
            self._occupied.set()
            stopping, down = self.stopping, self._redis_up is False
        if down:
            member.mailbox.put_reply(_redis_status(up=False))
        if stopping:
            member.close(CloseCode.GOING_AWAY, "server stops")

    def remove(self, member: Member) -> None:
        """Forget a client."""
        with self._lock:
            self._members.discard(member)
            for members in self._by_topic.values():
                members.discard(member)
            SOCKETS.set(len(self._members))
            if not self._members:
                self._occupied.clear()
        self._followers.changed()
        if member.mailbox.was_slow:
            SLOW.inc()
            log.info("live.slow_client_closed")

    def subscribe(
        self, member: Member, topics: Iterable[Topic], *, answer: bytes, deltas: bool = False
    ) -> None:
        """Send the topics from now on: first `answer`, then the whole last value of each.

        With `deltas` a long list follows as the changes since. Nothing that is published after `answer` is
        missed, and nothing comes twice: one lock for joining, the answer and the newest values.
        """
        wanted = list(topics)
        for topic in wanted:
            self._seed(topic)
            patched = member.mailbox.patched - {topic}
            member.mailbox.patched = patched | ({topic} & PATCHED if deltas else set())
            member.mailbox.forget(topic)
        with self._lock:
            if member not in self._members:
                return
            for topic in wanted:
                self._by_topic[topic].add(member)
            member.mailbox.put_reply(answer)
            for topic in wanted:
                if topic in self._latest:
                    _putter(topic)(member.mailbox, topic, self._latest[topic])
        self._followers.changed()

    def unsubscribe(self, member: Member, topics: Iterable[Topic]) -> None:
        """Send the topics no longer."""
        for topic in topics:
            with self._lock:
                self._by_topic[topic].discard(member)
            member.mailbox.forget(topic)
        self._followers.changed()

    def publish(self, topic: Topic, seq: int, envelope: bytes) -> None:
        """Send one message to all who want it; encoded once, and never waiting for any of them."""
        with self._publishing:
            before = self._latest.get(topic)
            known = before.seq if before else None
            if self._is_old(seq, known):
                return
            push = self._prepare(topic, seq, envelope)
            with self._lock:
                self._latest[topic] = push
                members = list(self._by_topic[topic])
        missed = known is not None and seq != known + 1 and topic not in STATE_TOPICS
        if missed:
            notice = Push(seq, Text(resync_message()))
            self._send_all(members, topic, notice)
        self._send_all(members, topic, push)

    def stop(self) -> None:
        """Say 1001 to all, wait a moment for their answer, and hang up on the rest."""
        self._stop.set()
        self._occupied.set()
        for member in self._snapshot():
            member.close(CloseCode.GOING_AWAY, "server stops")
        self._followers.leave()
        deadline = time.monotonic() + _FAREWELL_S
        while self._members and time.monotonic() < deadline:
            time.sleep(0.05)
        for member in self._snapshot():
            member.mailbox.hang_up()

    def _is_old(self, seq: int, known: int | None) -> bool:
        if known is None or seq > known:
            return False
        return seq == known or time.monotonic() - self._resynced_at < _OVERLAP_S

    def _prepare(self, topic: Topic, seq: int, envelope: bytes) -> Push:
        whole = Text(envelope)
        if topic not in PATCHED:
            return Push(seq, whole)
        if not any(topic in member.mailbox.patched for member in tuple(self._by_topic[topic])):
            self._deltas.forget()
            return Push(seq, whole, patchable=True)
        base_seq, patch = self._deltas.next(seq, envelope) or (None, None)
        return Push(seq, whole, Text(patch) if patch else None, base_seq, patchable=True)

    def _send_all(self, members: list[Member], topic: Topic, push: Push) -> None:
        put = _putter(topic)
        for number, member in enumerate(members, 1):
            put(member.mailbox, topic, push)
            if number % _YIELD_EVERY == 0:
                time.sleep(0)  # under gevent nobody else runs until we let go
        PUSHES.labels(topic.value).inc(len(members))

    def _listen(self) -> None:
        bus.listen(self.publish, self._on_redis, self._stop)

    def _on_redis(self, up: bool) -> None:
        before, self._redis_up = self._redis_up, up
        if up:
            for topic in Topic:
                self._read_last(topic)
            self._resynced_at = time.monotonic()
            self._followers.changed()
        if before is (not up) or (before is None and not up):
            log.info("live.redis", up=up)
            frame = _redis_status(up=up)
            for member in self._snapshot():
                member.mailbox.put_reply(frame)

    def _seed(self, topic: Topic) -> None:
        """Take over the stored last value where nobody has listened yet.

        Whoever listens already gets what is on its way, in order: a newer value from here would overtake it.
        """
        if topic in self._latest or self._by_topic[topic] or self._redis_up is False:
            return
        self._read_last(topic)
        self._resynced_at = time.monotonic()

    def _read_last(self, topic: Topic) -> None:
        """Take over the stored last value: what was published while nobody listened."""
        try:
            envelope = bus.last_bytes(topic)
        except redis.RedisError as error:
            log.warning("live.last_value_unknown", topic=topic.value, reason=str(error)[:200])
            return
        if envelope is not None:
            self.publish(topic, json.loads(envelope)["seq"], envelope)

    def _tick_all(self) -> None:
        while not self._stop.is_set():
            self._occupied.wait()
            now = time.monotonic()
            for member in self._snapshot():
                member.tick(now)
            self._stop.wait(TICK_S)

    def _check_all(self) -> None:
        """Close the sockets of sessions and tokens that were revoked."""
        while not self._stop.is_set():
            self._occupied.wait()
            known: dict[Any, bool] = {}  # one question a credential, however many sockets it has
            for member in self._snapshot():
                member.check_credential(known)
            self._stop.wait(REVOCATION_CHECK_S)

    def _count(self) -> dict[Topic, int]:
        with self._lock:
            return {topic: len(members) for topic, members in self._by_topic.items()}

    def _snapshot(self) -> list[Member]:
        with self._lock:
            return list(self._members)


def _putter(topic: Topic) -> Callable[[Mailbox, Topic, Push], None]:
    return Mailbox.put_state if topic in STATE_TOPICS else Mailbox.put_event


def _redis_status(*, up: bool) -> bytes:
    return text_frame(type="status", source="redis", state="up" if up else "down")
