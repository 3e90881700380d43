"""The bus: what is published arrives everywhere, is stored, and its sequence never runs backwards."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis as client

from tests.support.redis import RedisServer
from tests.support.waiting import wait_until
from vabhub import redis_client
from vabhub.events import bus
from vabhub.events.topics import Topic
from vabhub.settings import Settings, use_settings

pytestmark = pytest.mark.usefixtures("redis")


class Listener:
    """A bus listener in a thread, with what it heard."""

    def __init__(self) -> None:
        self.messages: list[tuple[Topic, int, bytes]] = []
        self.states: list[bool] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=bus.listen, args=(self._hear, self.states.append, self._stop))

    def start(self) -> None:
        self._thread.start()
        wait_until(lambda: self.states, what="the listener is subscribed")

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(timeout=10)

    def _hear(self, topic: Topic, seq: int, envelope: bytes) -> None:
        self.messages.append((topic, seq, envelope))


@pytest.fixture
def listener() -> Iterator[Listener]:
    made = Listener()
    yield made
    made.stop()


def test_a_publish_reaches_a_listener_as_the_frame_text(listener: Listener) -> None:
    listener.start()
    seq = bus.publish(Topic.SYSTEM, {"cpu_usage": 12.5, "name": "影音"}, {"source": "system"})
    wait_until(lambda: listener.messages)
    topic, heard, envelope = listener.messages[0]
    assert (topic, heard) == (Topic.SYSTEM, seq)
    frame = json.loads(envelope)
    assert list(frame) == ["type", "topic", "seq", "data", "meta", "timestamp"]
    assert (frame["type"], frame["seq"], frame["data"]["name"]) == ("system_update", seq, "影音")


def test_the_last_value_is_stored_as_it_was_sent(listener: Listener) -> None:
    listener.start()
    bus.publish(Topic.SYSTEM, {"cpu_usage": None})
    wait_until(lambda: listener.messages)
    assert bus.last_bytes(Topic.SYSTEM) == listener.messages[0][2]
    assert bus.last(Topic.DOWNLOADS) is None


def test_the_sequence_goes_up_by_one_a_topic() -> None:
    first = bus.publish(Topic.SYSTEM, {})
    assert first is not None
    assert bus.publish(Topic.SYSTEM, {}) == first + 1


def test_the_sequence_does_not_run_backwards_when_redis_is_wiped() -> None:
    before = [bus.publish(Topic.SYSTEM, {}) for _ in range(5)]
    redis_client.get_redis().flushall()
    after = bus.publish(Topic.SYSTEM, {})
    assert after is not None
    assert before[-1] is not None
    assert after > before[-1]


def test_a_publisher_that_lost_its_lease_is_refused() -> None:
    redis_client.get_redis().set(bus.FENCE_KEY, 8)
    assert bus.publish(Topic.SYSTEM, {"from": "old"}, fence=7) is None
    assert bus.last(Topic.SYSTEM) is None
    assert bus.publish(Topic.SYSTEM, {"from": "new"}, fence=8) is not None


def test_a_number_that_json_does_not_know_is_refused() -> None:
    with pytest.raises(ValueError, match="JSON"):
        bus.publish(Topic.SYSTEM, {"cpu_usage": float("nan")})


def test_a_listener_survives_a_restart_of_redis(
    tmp_path: Path, settings: Settings, listener: Listener
) -> None:
    server = RedisServer(tmp_path / "own")
    server.start()
    redis_client.close()
    use_settings(settings.model_copy(update={"redis_url": server.url}))
    listener.start()
    server.kill()
    wait_until(lambda: listener.states == [True, False], what="the loss is told")
    with pytest.raises(client.RedisError):
        bus.publish(Topic.SYSTEM, {})
    server.start()
    wait_until(lambda: listener.states == [True, False, True], what="the return is told")
    bus.publish(Topic.SYSTEM, {"back": True})
    wait_until(lambda: listener.messages, what="a publish after the restart arrives")
    server.kill()
    wait_until(lambda: listener.states == [True, False, True, False], what="the second loss is told too")
    server.start()
    wait_until(lambda: listener.states[-1], what="and the second return")
    listener.stop()
    redis_client.close()
    use_settings(settings)
    server.remove()
