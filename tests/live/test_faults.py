"""What may go wrong around a socket: Redis goes, clients do not read, the server stops."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.live.raw import RawSocket
from tests.live.server import Client, WebServer, running
from tests.support.redis import RedisServer
from tests.support.waiting import wait_until
from vabhub import redis_client
from vabhub.events import bus
from vabhub.events.topics import Topic
from vabhub.settings import load_settings, use_settings

KINDS = ((), ("-k", "gthread", "--threads", "1100"))


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path / "redis")
    server.start()
    redis_client.close()
    use_settings(load_settings({"VABHUB_DATA_DIR": str(tmp_path / "data"), "REDIS_URL": server.url}))
    yield server
    redis_client.close()
    use_settings(None)
    server.remove()


@pytest.fixture(params=KINDS, ids=["gevent", "gthread"])
def own_server(request: pytest.FixtureRequest, tmp_path: Path, own_redis: RedisServer) -> Iterator[WebServer]:
    with running(tmp_path, own_redis.url, *request.param, VABHUB_MAX_SOCKETS="1050") as server:
        yield server


def subscribed(client: Client, *topics: str) -> Client:
    client.send({"type": "subscribe", "topics": list(topics)})
    client.until("subscribed")
    return client


def test_redis_gone_and_back(own_server: WebServer, own_redis: RedisServer) -> None:
    bus.publish(Topic.SYSTEM, {"n": 1})
    with own_server.connect() as client:
        subscribed(client, "system", "notifications")
        assert client.until("system_update")["data"] == {"n": 1}
        own_redis.stop()
        assert client.until("status")["state"] == "down"
        assert client.ask({"type": "ping"})["type"] == "pong"
        with own_server.connect() as newcomer:
            assert newcomer.receive()["state"] == "down"
        own_redis.start()
        bus.publish(Topic.SYSTEM, {"n": 2})
        bus.publish(Topic.NOTIFICATIONS, {"event": "created", "unread": 1})
        seen = [client.receive(20) for _ in range(3)]
        kinds = {message["type"] for message in seen}
        assert kinds == {"status", "system_update", "notification_update"}
        assert [m["data"] for m in seen if m["type"] == "system_update"] == [{"n": 2}]
        bus.publish(Topic.SYSTEM, {"n": 3})
        assert client.until("system_update")["data"] == {"n": 3}


def test_events_missed_while_redis_was_away_are_said_to_be_missed(
    own_server: WebServer, own_redis: RedisServer
) -> None:
    with own_server.connect() as client:
        subscribed(client, "notifications")
        bus.publish(Topic.NOTIFICATIONS, {"unread": 1})
        assert client.until("notification_update")["data"]["unread"] == 1
        # As after an outage: the sequence has moved on and nobody was told.
        redis_client.get_redis().incrby("vabhub:seq:notifications", 5)
        bus.publish(Topic.NOTIFICATIONS, {"unread": 7})
        notice = client.until("resync")
        assert (notice["topic"], notice["code"]) == ("notifications", "CATCH_UP")
        assert client.until("notification_update")["data"]["unread"] == 7


def test_client_that_does_not_read_delays_nobody_and_is_closed(own_server: WebServer) -> None:
    with ExitStack() as stack:
        message = {"type": "subscribe", "topics": ["downloads"]}
        silent = [stack.enter_context(RawSocket(own_server, message)) for _ in range(20)]
        reader = stack.enter_context(own_server.connect())
        subscribed(reader, "downloads")
        pad = "x" * 60_000
        for number in range(30):
            bus.publish(Topic.DOWNLOADS, {"n": number, "pad": pad})
            while reader.until("download_update", 3)["data"]["n"] != number:
                pass
        began = time.monotonic()
        bus.publish(Topic.DOWNLOADS, {"n": 30, "pad": pad})
        assert reader.until("download_update", 3)["data"]["n"] == 30
        wait_until(
            lambda: _open_sockets(own_server) == 1, timeout_s=16, every_s=0.2, what="the silent are closed"
        )
        assert time.monotonic() - began < 14
        for client in silent:
            assert len(client.read_frames()) < 31


def test_late_reader_skips_to_the_newest_value(own_server: WebServer) -> None:
    with RawSocket(own_server, {"type": "subscribe", "topics": ["downloads"]}) as client:
        for number in range(60):
            bus.publish(Topic.DOWNLOADS, {"n": number, "pad": "x" * 60_000})
        payloads = client.read_frames(pause_s=1.5)
    seen = [json.loads(payload)["data"]["n"] for payload in payloads if b"download_update" in payload]
    assert seen == sorted(seen)
    assert seen[-1] == 59
    assert len(seen) < 60


def test_too_many_events_for_a_client_end_in_a_notice(own_server: WebServer) -> None:
    with RawSocket(own_server, {"type": "subscribe", "topics": ["notifications"]}) as client:
        for number in range(600):
            bus.publish(Topic.NOTIFICATIONS, {"n": number, "pad": "x" * 20_000})
        payloads = client.read_frames(pause_s=1.5)
    messages = [json.loads(payload) for payload in payloads]
    at = next(index for index, message in enumerate(messages) if message["type"] == "resync")
    before = [message["data"]["n"] for message in messages[1:at]]
    assert before == list(range(before[0], before[0] + len(before)))
    assert messages[-1]["data"]["n"] == 599


def test_sockets_above_the_limit_get_503_and_http_goes_on(own_server: WebServer) -> None:
    with ExitStack() as stack:
        for _ in range(1050):
            stack.enter_context(RawSocket(own_server))
        with pytest.raises(InvalidStatus) as refusal:
            own_server.connect()
        assert refusal.value.response.status_code == 503
        assert httpx.get(f"{own_server.url}/healthz", timeout=5).is_success
    wait_until(lambda: _connects(own_server), timeout_s=10, what="room again")


def test_gthread_keeps_threads_for_http(tmp_path: Path, own_redis: RedisServer) -> None:
    with ExitStack() as stack:
        server = stack.enter_context(running(tmp_path, own_redis.url, "-k", "gthread", "--threads", "8"))
        for _ in range(6):
            stack.enter_context(RawSocket(server))
        with pytest.raises(InvalidStatus) as refusal:
            server.connect()
        assert refusal.value.response.status_code == 503
        assert httpx.get(f"{server.url}/healthz", timeout=5).is_success


def test_server_stop_says_1001_whatever_a_thousand_silent_clients_do(own_server: WebServer) -> None:
    with ExitStack() as stack:
        for _ in range(1000):
            stack.enter_context(RawSocket(own_server))
        client = stack.enter_context(own_server.connect())
        client.ask({"type": "ping"})
        began = time.monotonic()
        assert own_server.stop() == 0
        # gunicorn gives up after 20 s, and then ends with force; what is promised is 5 s.
        assert time.monotonic() - began < 5
        assert client.close_code(5) == 1001


def _connects(server: WebServer) -> bool:
    try:
        with server.connect() as client:
            return bool(client.ask({"type": "ping"})["type"] == "pong")
    except (InvalidStatus, ConnectionClosed):
        return False


def _open_sockets(server: WebServer) -> int:
    return int(httpx.get(f"{server.url}/sockets", timeout=5).json()["open"])
