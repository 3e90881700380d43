"""The socket as its contract says it, spoken by a client library of another make and by a real browser."""

from __future__ import annotations

import json
import time

import pytest

from tests.live.conftest import Dialled
from vabhub.events import bus
from vabhub.events.topics import Topic
from vabhub.redis_client import get_redis


@pytest.mark.parametrize("path", ["/api/ws/ws", "/api/ws"])
def test_both_paths_answer(dialler: Dialled, path: str) -> None:
    with dialler.connect(path) as client:
        assert client.ask({"type": "ping"})["type"] == "pong"


@pytest.mark.parametrize("message", [{"topics": ["system"]}, {"data": {"topics": ["system"]}}])
def test_last_value_comes_at_once_in_both_forms_of_subscribe(
    dialler: Dialled, message: dict[str, object]
) -> None:
    seq = bus.publish(Topic.SYSTEM, {"cpu_usage": 7.5}, {"source": "system"})
    with dialler.connect() as client:
        assert client.ask({"type": "subscribe", **message})["topics"] == ["system"]
        pushed = client.receive()
    assert pushed["type"] == "system_update"
    assert pushed["topic"] == "system"
    assert pushed["seq"] == seq
    assert pushed["data"] == {"cpu_usage": 7.5}
    assert pushed["meta"] == {"source": "system"}
    assert pushed["timestamp"].endswith("Z")


def test_subscriptions_add_up_and_can_be_taken_back(dialler: Dialled) -> None:
    with dialler.connect() as client:
        client.send({"type": "subscribe", "topics": ["system"]})
        assert client.until("subscribed")["topics"] == ["system"]
        client.send({"type": "subscribe", "topics": ["downloads", "system"]})
        assert client.until("subscribed")["topics"] == ["downloads", "system"]
        client.send({"type": "unsubscribe", "topics": ["system"]})
        assert client.until("unsubscribed")["topics"] == ["downloads"]
        bus.publish(Topic.SYSTEM, {"cpu_usage": 1})
        seq = bus.publish(Topic.DOWNLOADS, {"active": 1})
        pushed = client.receive()
        while pushed["seq"] != seq:
            assert pushed["topic"] == "downloads"
            pushed = client.receive()


def test_seq_grows_and_no_value_comes_twice(dialler: Dialled) -> None:
    bus.publish(Topic.SYSTEM, {"n": 0})
    with dialler.connect() as client:
        client.ask({"type": "subscribe", "topics": ["system"]})
        seen = [client.receive()["seq"]]
        for number in range(1, 6):
            bus.publish(Topic.SYSTEM, {"n": number})
            seen.append(client.receive()["seq"])
    assert seen == list(range(seen[0], seen[0] + 6))


def test_every_notification_event_arrives_in_order(dialler: Dialled) -> None:
    with dialler.connect() as client:
        client.ask({"type": "subscribe", "topics": ["notifications"]})
        for number in range(100):
            bus.publish(Topic.NOTIFICATIONS, {"event": "created", "unread": number})
        seen = [client.until("notification_update")["data"]["unread"] for _ in range(100)]
    assert seen == list(range(100))


def test_unknown_topics_are_named_and_the_others_served(dialler: Dialled) -> None:
    with dialler.connect() as client:
        assert client.ask({"type": "subscribe", "topics": ["sys", "system"]})["topics"] == ["system"]
        error = client.until("error")
        assert error["code"] == "UNKNOWN_TOPIC"
        assert "'sys'" in error["message"]


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("[1, 2]", "VALIDATION_ERROR"),
        ("17", "VALIDATION_ERROR"),
        ('"system"', "VALIDATION_ERROR"),
        ("null", "VALIDATION_ERROR"),
        ("{broken", "VALIDATION_ERROR"),
        ("[" * 60_000, "VALIDATION_ERROR"),
        ("9" * 60_000, "VALIDATION_ERROR"),
        ("", "VALIDATION_ERROR"),
        (b"\x00\xff\xfe", "VALIDATION_ERROR"),
        ({"type": "shout"}, "UNKNOWN_TYPE"),
        ({"type": ["ping"]}, "UNKNOWN_TYPE"),
        ({"no": "type"}, "UNKNOWN_TYPE"),
        ({"type": "subscribe"}, "VALIDATION_ERROR"),
        ({"type": "subscribe", "topics": "system"}, "VALIDATION_ERROR"),
        ({"type": "subscribe", "topics": [1]}, "VALIDATION_ERROR"),
        ({"type": "subscribe", "topics": {"system": 1}}, "VALIDATION_ERROR"),
        ({"type": "subscribe", "topics": ["system"] * 33}, "TOO_MANY_TOPICS"),
        ({"type": "auth", "token": "wrong"}, "UNAUTHORIZED"),
        ({"type": "auth", "token": "read\ud800"}, "UNAUTHORIZED"),
        ({"type": "subscribe", "topics": ["\ud800"] * 2 + [""]}, "UNKNOWN_TOPIC"),
        ('{"type": ' + "[" * 900 + "]" * 900 + "}", "UNKNOWN_TYPE"),
    ],
)
def test_bad_message_is_answered_and_the_socket_stays(dialler: Dialled, message: object, code: str) -> None:
    with dialler.connect() as client:
        client.send(message)
        answer = client.until("error")
        assert answer["code"] == code
        assert len(answer["message"]) < 200
        assert client.ask({"type": "ping"})["type"] == "pong"


def test_message_over_64_kb_closes_with_1009(dialler: Dialled) -> None:
    with dialler.connect() as client:
        client.send("x" * 65_537)
        assert client.close_code() == 1009


def test_message_of_64_kb_is_read(dialler: Dialled) -> None:
    with dialler.connect() as client:
        assert client.ask(json.dumps({"type": "ping", "pad": "x" * 65_000}))["type"] == "pong"


def test_more_than_20_messages_a_second_close_with_4429(dialler: Dialled) -> None:
    with dialler.connect() as client:
        client.send_all([{"type": "ping"}] * 40)
        assert client.until("error")["code"] == "RATE_LIMITED"
        assert client.close_code() == 4429


@pytest.mark.parametrize("options", [{}, {"path": "/api/ws/ws?token=read-query"}])
def test_first_message_or_query_can_carry_the_token(dialler: Dialled, options: dict[str, str]) -> None:
    with dialler.connect(token=None, **options) as client:
        if not options:
            assert client.ask({"type": "auth", "token": "read-message"})["type"] == "authenticated"
        assert client.ask({"type": "subscribe", "topics": []})["type"] == "subscribed"


def test_silent_stranger_is_closed_with_4401_within_5_s(dialler: Dialled) -> None:
    began = time.monotonic()
    with dialler.connect(token=None) as client:
        assert client.receive()["code"] == "UNAUTHORIZED"
        assert client.close_code() == 4401
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("message", [{"type": "auth", "token": "wrong"}, {"type": "subscribe", "topics": []}])
def test_stranger_who_says_something_else_is_closed_with_4401(
    dialler: Dialled, message: dict[str, object]
) -> None:
    with dialler.connect(token=None) as client:
        assert client.ask(message)["code"] == "UNAUTHORIZED"
        assert client.close_code() == 4401


def test_token_without_read_may_not_subscribe(dialler: Dialled) -> None:
    with dialler.connect(token="notify") as client:
        assert client.ask({"type": "subscribe", "topics": ["system"]})["code"] == "FORBIDDEN"


def test_revoked_credential_is_closed_within_5_s(dialler: Dialled) -> None:
    with dialler.connect(token="read-revoked") as client:
        client.ask({"type": "ping"})
        get_redis().sadd("test:revoked", "read-revoked")
        began = time.monotonic()
        assert client.until("error")["code"] == "UNAUTHORIZED"
        assert client.close_code() == 4401
        assert time.monotonic() - began < 5


def test_frames_reach_the_client_whole(dialler: Dialled) -> None:
    with dialler.connect() as client:
        client.ask({"type": "subscribe", "topics": ["downloads"]})
        for size in (10, 125, 126, 65_000, 66_000, 300_000):
            seq = bus.publish(Topic.DOWNLOADS, {"pad": "é" * size})
            pushed = client.receive()
            while pushed["seq"] != seq:
                pushed = client.receive()
            assert pushed["data"]["pad"] == "é" * size
