"""What a hostile client may send: the right close code, bounded memory, and nobody else notices."""

from __future__ import annotations

import os
import socket
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import httpx
import psutil
import pytest
from websockets.exceptions import InvalidStatus

from tests.live.raw import RawSocket, masked
from tests.live.server import Client, WebServer
from tests.support.waiting import wait_until

DEFLATE = "Sec-WebSocket-Extensions: permessage-deflate\r\n"
MIB = 2**20
# Of the 24 sockets of `conftest.MAX_SOCKETS`.
MOST_STRANGERS = 6


@pytest.fixture
def other(server: WebServer) -> Iterator[Client]:
    """Somebody else, who must be served all the time."""
    with server.connect() as client:
        yield client
        assert client.ask({"type": "ping"})["type"] == "pong"


def packed(text: bytes) -> bytes:
    """Return a message's payload as permessage-deflate sends it."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return (packer.compress(text) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]


def bomb(mib: int) -> bytes:
    """Return a compressed message, in fragments of 60 KB, that unfolds a thousandfold."""
    data = packed(b"x" * (mib * MIB))
    parts = [data[at : at + 60_000] for at in range(0, len(data), 60_000)]
    return b"".join(masked(part, 0x41 if number == 0 else 0x00) for number, part in enumerate(parts))


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (b"\x81\x02hi", 1002),  # not masked
        (b"\xc1\x80\0\0\0\0", 1002),  # compressed, which was not agreed on
        (b"\xa1\x80\0\0\0\0", 1002),  # the second reserved bit
        (b"\x91\x80\0\0\0\0", 1002),  # the third
        (b"\x83\x80\0\0\0\0", 1002),  # a reserved opcode
        (b"\x8b\x80\0\0\0\0", 1002),  # and one for control frames
        (b"\x80\x80\0\0\0\0", 1002),  # a continuation of nothing
        (b"\x01\x80\0\0\0\0\x81\x80\0\0\0\0", 1002),  # a message inside a message
        (b"\x09\x80\0\0\0\0", 1002),  # half a ping
        (b"\x89\xfe\x00\x7e\0\0\0\0" + b"x" * 126, 1002),  # a ping that is too long
        (b"\x88\x81\0\0\0\0x", 1002),  # a close code of one byte
        (b"\x88\x82\0\0\0\0\x03\xed", 1002),  # a close code that is never sent: 1005
        (b"\x88\x84\0\0\0\0\x03\xe8\xff\xfe", 1007),  # a reason that is no text
        (b"\x81\x82\0\0\0\0\xff\xfe", 1007),  # a text that is none
        (masked(b"\xe2\x82", 0x01) + masked(b"x", 0x80), 1007),  # cut inside a character
        (b"\x81\xff\x7f\xff\xff\xff\xff\xff\xff\xff\0\0\0\0" + b"x" * 70_000, 1009),  # 8 EiB announced
        (b"\x81\xff\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\0", 1002),  # and more than there can be
        (masked(b"", 0x01) + masked(b"", 0x00) * 1500, 1009),  # fragments of nothing, without an end
        (masked(b"xy", 0x8A) * 60, 4429),  # pongs that nobody asked for
        (masked(b"", 0x89) * 60, 4429),  # pings without a pause
    ],
)
def test_what_breaks_the_protocol_ends_with_the_right_code(
    server: WebServer, other: Client, sent: bytes, code: int
) -> None:
    with RawSocket(server) as client:
        client.sock.sendall(sent)
        assert client.close_code() == code


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (masked(b"\xff\xff\xff", 0xC1), 1007),  # no deflate stream
        (masked(packed(b"\xff\xfe"), 0xC1), 1007),  # unfolds to what is no text
        (masked(b"", 0xC9), 1002),  # a compressed ping
        (masked(packed(b"x"), 0x41) + masked(b"y", 0xC0), 1002),  # the mark on a continuation
        (bomb(1), 1009),
        (bomb(64), 1009),
    ],
)
def test_bad_compression_ends_with_the_right_code(
    server: WebServer, other: Client, sent: bytes, code: int
) -> None:
    with RawSocket(server, headers=DEFLATE) as client:
        with suppress(ConnectionError):  # it need not be read to its end
            client.sock.sendall(sent)
        assert client.close_code() == code


def test_bombs_take_no_memory(server: WebServer, other: Client) -> None:
    sent, before = bomb(64), worker_memory(server)
    with ExitStack() as stack:
        for _ in range(20):
            client = stack.enter_context(RawSocket(server, headers=DEFLATE))
            with suppress(ConnectionError):
                client.sock.sendall(sent)
        assert worker_memory(server) - before < 64 * MIB


def test_random_bytes_end_one_socket_only(server: WebServer, other: Client) -> None:
    for extensions in ("", DEFLATE):
        for _ in range(25):
            with RawSocket(server, headers=extensions) as client:
                client.sock.sendall(os.urandom(300))
    wait_until(lambda: open_sockets(server) == 1, what="all others are gone")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec-WebSocket-Version": "13"},
        {"Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "short"},
        {"Sec-WebSocket-Version": "12", "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA=="},
    ],
)
def test_half_a_handshake_is_refused(server: WebServer, headers: dict[str, str]) -> None:
    upgrade = {"Upgrade": "websocket", "Connection": "Upgrade"}
    assert httpx.get(f"{server.url}/api/ws/ws", headers={**upgrade, **headers}).status_code == 400


def test_slow_handshakes_are_hung_up_while_others_are_served(server: WebServer, other: Client) -> None:
    if "gthread" in server.options:
        return  # there a request's head may take a thread; gunicorn has no limit that we could set
    with ExitStack() as stack:
        slow = [stack.enter_context(socket.create_connection(("127.0.0.1", server.port))) for _ in range(100)]
        for sock in slow:
            sock.sendall(b"GET /api/ws/ws HTTP/1.1\r\nHost: x\r\nUpgr")
        assert other.ask({"type": "ping"})["type"] == "pong"
        for sock in slow:
            sock.settimeout(30)
            assert sock.recv(100) == b""


def test_a_flood_of_strangers_leaves_room_for_those_who_say_who_they_are(
    server: WebServer, other: Client
) -> None:
    refused = 0
    with ExitStack() as stack:
        for _ in range(300):
            try:
                stack.enter_context(server.connect(token=None))
            except InvalidStatus as refusal:
                assert refusal.response.status_code == 503
                refused += 1
            if refused > 3:
                break
        assert refused
        with server.connect() as known:
            assert known.ask({"type": "ping"})["type"] == "pong"


def test_a_stranger_who_signs_in_makes_room_for_the_next(server: WebServer) -> None:
    with ExitStack() as stack:
        # More than strangers have places, each gone on before the next comes.
        for _ in range(MOST_STRANGERS + 2):
            client = stack.enter_context(server.connect(token=None))
            assert client.ask({"type": "auth", "token": "read-late"})["type"] == "authenticated"


def worker_memory(server: WebServer) -> int:
    """Return the resident bytes of the process that serves."""
    return int(psutil.Process(server.process.pid).children()[0].memory_info().rss)


def open_sockets(server: WebServer) -> int:
    """Return how many sockets it says are open."""
    return int(httpx.get(f"{server.url}/sockets", timeout=5).json()["open"])
