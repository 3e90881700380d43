"""Joining a topic while messages are on their way: none is lost, repeated or overtaken."""

from __future__ import annotations

import json
import socket
from typing import Any

import pytest

from tests.live.raw import frames_of
from vabhub.events import bus
from vabhub.events.topics import Topic
from vabhub.settings import Settings
from web.frames import Opcode, encode
from web.hub import Hub
from web.mailbox import Mailbox

TOPIC = Topic.NOTIFICATIONS


class Guest:
    """A client at the other end of a pair of sockets."""

    def __init__(self, hub: Hub) -> None:
        self._ours, self._theirs = socket.socketpair()
        self.mailbox = Mailbox(self._ours, lambda: b"")
        hub.add(self)  # type: ignore[arg-type]
        hub.subscribe(self, [TOPIC], answer=encode(Opcode.TEXT, b'"subscribed"'))  # type: ignore[arg-type]

    def hear(self) -> list[Any]:
        """Return the answer and the numbers that it was sent."""
        self.mailbox.close()
        data = b"".join(iter(lambda: self._theirs.recv(65_536), b""))
        self._ours.close()
        self._theirs.close()
        heard = [json.loads(frame.payload) for frame in frames_of(data)]
        return [one if isinstance(one, str) else one["data"]["n"] for one in heard]


@pytest.fixture
def hub(settings: Settings, redis: None) -> Hub:
    """A hub whose listener is the test: `hear` says when a message has arrived."""
    return Hub(max_sockets=10)


def publish(number: int) -> tuple[int, bytes]:
    """Publish through Redis, and return what will arrive."""
    seq = bus.publish(TOPIC, {"n": number})
    envelope = bus.last_bytes(TOPIC)
    assert seq is not None
    assert envelope is not None
    return seq, envelope


def test_who_joins_late_lets_no_message_overtake_another(hub: Hub) -> None:
    early = Guest(hub)
    on_their_way = [publish(1), publish(2)]
    late = Guest(hub)
    for seq, envelope in on_their_way:
        hub.publish(TOPIC, seq, envelope)
    assert early.hear() == ["subscribed", 1, 2]
    assert late.hear() == ["subscribed", 1, 2]


def test_what_was_published_before_the_last_value_does_not_follow_it(hub: Hub) -> None:
    on_their_way = [publish(1), publish(2)]
    guest = Guest(hub)
    for seq, envelope in on_their_way:
        hub.publish(TOPIC, seq, envelope)
    hub.publish(TOPIC, *publish(3))
    assert guest.hear() == ["subscribed", 2, 3]


def test_the_answer_comes_before_what_follows_it(hub: Hub) -> None:
    hub.publish(TOPIC, *publish(1))
    assert Guest(hub).hear() == ["subscribed", 1]
