"""What may go wrong around a socket: Redis goes, clients do not read, the server stops."""

from __future__ import annotations

import json
import os
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Self

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.live.server import Client, WebServer, running
from tests.support.redis import RedisServer
from tests.support.waiting import wait_until
from vabhub import redis_client
from vabhub.events import bus
from vabhub.events.topics import Topic
from vabhub.settings import load_settings, use_settings

KINDS = (("-k", "gevent"), ("-k", "gthread", "--threads", "300"))


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
    with running(tmp_path, own_redis.url, *request.param, VABHUB_MAX_SOCKETS="250") as server:
        yield server


class SilentSocket:
    """A client that shakes hands and then reads nothing, with a small receive buffer."""

    def __init__(self, server: WebServer, *messages: object) -> None:
        self.sock = socket.socket()
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.sock.connect(("127.0.0.1", server.port))
        self.sock.sendall(
            b"GET /api/ws/ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
            b"Authorization: Bearer read\r\n\r\n"
        )
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += self.sock.recv(1)
        assert b" 101 " in answer
        for message in messages:
            self.send(message)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.sock.close()

    def send(self, message: object) -> None:
        """Send one masked text frame."""
        payload = json.dumps(message).encode()
        self.sock.sendall(bytes((0x81, 0x80 | len(payload))) + b"\0\0\0\0" + payload)

    def read_frames(self, *, pause_s: float = 20) -> list[bytes]:
        """Read until the end, or until nothing comes for a while; fail when a frame is torn."""
        self.sock.settimeout(pause_s)
        data = b""
        with suppress(ConnectionResetError, TimeoutError):
            while chunk := self.sock.recv(65_536):
                data += chunk
        return list(_frames(data))


def _frames(data: bytes) -> Iterator[bytes]:
    while data:
        assert data[0] in (0x81, 0x88, 0x89), data[:20]
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
        yield payload
        data = data[start + size :]


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
        silent = [stack.enter_context(SilentSocket(own_server, message)) for _ in range(20)]
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
    with SilentSocket(own_server, {"type": "subscribe", "topics": ["downloads"]}) as client:
        for number in range(60):
            bus.publish(Topic.DOWNLOADS, {"n": number, "pad": "x" * 60_000})
        payloads = client.read_frames(pause_s=1.5)
    seen = [json.loads(payload)["data"]["n"] for payload in payloads if b"download_update" in payload]
    assert seen == sorted(seen)
    assert seen[-1] == 59
    assert len(seen) < 60


def test_too_many_events_for_a_client_end_in_a_notice(own_server: WebServer) -> None:
    with SilentSocket(own_server, {"type": "subscribe", "topics": ["notifications"]}) as client:
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
        for _ in range(250):
            stack.enter_context(SilentSocket(own_server))
        with pytest.raises(InvalidStatus) as refusal:
            own_server.connect()
        assert refusal.value.response.status_code == 503
        assert httpx.get(f"{own_server.url}/healthz", timeout=5).is_success
    wait_until(lambda: _connects(own_server), timeout_s=10, what="room again")


def test_gthread_keeps_threads_for_http(tmp_path: Path, own_redis: RedisServer) -> None:
    with ExitStack() as stack:
        server = stack.enter_context(running(tmp_path, own_redis.url, "-k", "gthread", "--threads", "8"))
        for _ in range(6):
            stack.enter_context(SilentSocket(server))
        with pytest.raises(InvalidStatus) as refusal:
            server.connect()
        assert refusal.value.response.status_code == 503
        assert httpx.get(f"{server.url}/healthz", timeout=5).is_success


def test_server_stop_says_1001_and_ends_in_5_s(own_server: WebServer) -> None:
    with ExitStack() as stack:
        for _ in range(100):
            stack.enter_context(SilentSocket(own_server, {"type": "ping"}))
        client = stack.enter_context(own_server.connect())
        client.ask({"type": "ping"})
        began = time.monotonic()
        assert own_server.stop() == 0
        assert time.monotonic() - began < 5
        assert client.close_code(5) == 1001


def test_half_a_handshake_and_wrong_keys_are_refused(own_server: WebServer) -> None:
    headers = {"Upgrade": "websocket", "Connection": "Upgrade"}
    assert httpx.get(f"{own_server.url}/api/ws/ws", headers=headers).status_code == 400
    headers["Sec-WebSocket-Version"] = "13"
    assert httpx.get(f"{own_server.url}/api/ws/ws", headers=headers).status_code == 400
    headers["Sec-WebSocket-Key"] = "short"
    assert httpx.get(f"{own_server.url}/api/ws/ws", headers=headers).status_code == 400


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (b"\x81\x02hi", 1002),  # not masked
        (b"\xf1\x80\0\0\0\0", 1002),  # reserved bits
        (b"\x83\x80\0\0\0\0", 1002),  # reserved opcode
        (b"\x80\x80\0\0\0\0", 1002),  # a continuation of nothing
        (b"\x89\xfe\x00\x7e\0\0\0\0" + b"x" * 126, 1002),  # a ping that is too long
        (b"\x88\x81\0\0\0\0x", 1002),  # a close code of one byte
        (b"\x81\xff\x7f\xff\xff\xff\xff\xff\xff\xff\0\0\0\0" + b"x" * 70_000, 1009),  # 8 EiB announced
    ],
)
def test_broken_frames_close_with_the_right_code(own_server: WebServer, frame: bytes, code: int) -> None:
    with SilentSocket(own_server) as client:
        client.sock.sendall(frame)
        payloads = client.read_frames()
    assert int.from_bytes(payloads[-1][:2], "big") == code
    assert _connects(own_server)


def test_random_bytes_end_one_socket_only(own_server: WebServer) -> None:
    with own_server.connect() as other:
        for _ in range(50):
            with SilentSocket(own_server) as client:
                client.sock.sendall(os.urandom(300))
        assert other.ask({"type": "ping"})["type"] == "pong"
    wait_until(lambda: _open_sockets(own_server) == 0, timeout_s=15, what="all are gone")


def _connects(server: WebServer) -> bool:
    try:
        with server.connect() as client:
            return bool(client.ask({"type": "ping"})["type"] == "pong")
    except (InvalidStatus, ConnectionClosed):
        return False


def _open_sockets(server: WebServer) -> int:
    return int(httpx.get(f"{server.url}/sockets", timeout=5).json()["open"])
