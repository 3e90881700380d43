"""What only a program can do to the socket: headers, single frames, compression, fragments."""

from __future__ import annotations

import json
import zlib
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory

from tests.live.raw import Frame, RawSocket
from tests.live.server import WebServer
from vabhub.events import bus
from vabhub.events.topics import Topic


def refused_with(server: WebServer, **options: object) -> int:
    with pytest.raises(InvalidStatus) as refusal:
        server.connect(**options)  # type: ignore[arg-type]
    return refusal.value.response.status_code


def test_fragmented_message_is_put_together(server: WebServer) -> None:
    with server.connect() as client:
        client.connection.send(iter(['{"type":', '"pi', 'ng"}']))
        assert client.receive()["type"] == "pong"


def test_endless_fragments_close_with_1009(server: WebServer) -> None:
    with server.connect() as client:
        client.connection.send(iter(["x" * 1000] * 100))
        assert client.close_code() == 1009


def test_ping_frame_is_answered(server: WebServer) -> None:
    with server.connect() as client:
        assert client.connection.ping(b"hello").wait(5)


def test_bad_utf8_closes_with_1007(server: WebServer) -> None:
    with server.connect() as client:
        with client.connection.send_context():
            client.connection.protocol.send_text(b"\xff\xfe", True)
        assert client.close_code() == 1007


def test_client_that_closes_gets_its_code_back(server: WebServer) -> None:
    client = server.connect()
    client.connection.close(code=1000)
    assert client.connection.protocol.close_rcvd is not None
    assert client.connection.protocol.close_rcvd.code == 1000


def test_cookie_from_the_own_origin_is_let_in(server: WebServer) -> None:
    headers = {"Cookie": "vabhub_session=read-cookie"}
    with server.connect(token=None, additional_headers=headers, origin=server.url) as client:
        assert client.ask({"type": "ping"})["type"] == "pong"


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1", "http://[broken"])
def test_cookie_from_a_foreign_origin_is_refused(server: WebServer, origin: str) -> None:
    headers = {"Cookie": "vabhub_session=read-cookie"}
    assert refused_with(server, token=None, additional_headers=headers, origin=origin) == 403


def test_token_may_come_from_anywhere(server: WebServer) -> None:
    with server.connect(origin="http://elsewhere.example") as client:
        assert client.ask({"type": "ping"})["type"] == "pong"


DEFLATE = "Sec-WebSocket-Extensions: {}\r\n"
SUBSCRIBE = {"type": "subscribe", "topics": ["system"]}


def decoded(frame: Frame) -> Any:
    """Return what a frame says; what is compressed was compressed on its own."""
    packed = frame.first == 0xC1
    plain = zlib.decompressobj(-15).decompress(frame.payload + b"\0\0\xff\xff") if packed else frame.payload
    return json.loads(plain) if frame.first in (0x81, 0xC1) else {}


def pushed(client: RawSocket, seq: int | None) -> Frame:
    """Return the frame of this push."""
    return client.read_until(lambda frame: decoded(frame).get("seq") == seq)


def test_a_message_is_compressed_once_for_all(server: WebServer) -> None:
    seq = bus.publish(Topic.SYSTEM, {"n": 1, "pad": "x" * 2000})
    headers = DEFLATE.format("permessage-deflate; client_max_window_bits")
    with (
        RawSocket(server, SUBSCRIBE, headers=headers) as first,
        RawSocket(server, SUBSCRIBE, headers=headers) as second,
        RawSocket(server, SUBSCRIBE) as plain,
    ):
        assert "server_no_context_takeover" in first.answer
        assert "client_no_context_takeover" in first.answer
        frames = [pushed(client, seq) for client in (first, second, plain)]
    assert frames[0].raw == frames[1].raw
    assert [frame.first for frame in frames] == [0xC1, 0xC1, 0x81]
    assert decoded(frames[0]) == decoded(frames[2])


def test_no_message_needs_the_one_before(server: WebServer) -> None:
    with RawSocket(server, SUBSCRIBE, headers=DEFLATE.format("permessage-deflate")) as client:
        for number in range(3):
            frame = pushed(client, bus.publish(Topic.SYSTEM, {"n": number, "pad": "y" * 2000}))
            assert (frame.first, decoded(frame)["data"]["n"]) == (0xC1, number)


def test_short_messages_go_plain(server: WebServer) -> None:
    with RawSocket(server, SUBSCRIBE, headers=DEFLATE.format("permessage-deflate")) as client:
        assert pushed(client, bus.publish(Topic.SYSTEM, {"pad": "x" * 500})).first == 0x81


@pytest.mark.parametrize(
    ("offer", "agreed"),
    [
        ("permessage-deflate; client_max_window_bits=10", True),
        ("permessage-deflate; server_max_window_bits=15", True),
        ("x-other, permessage-deflate; server_no_context_takeover", True),
        ("permessage-deflate; server_max_window_bits=10, permessage-deflate", True),
        ("permessage-deflate; server_max_window_bits=10", False),  # would be a compression of its own
        ("permessage-deflate; client_max_window_bits=7", False),
        ("permessage-deflate; unheard_of", False),
        ("permessage-deflate; client_max_window_bits; client_max_window_bits", False),
        ("permessage-deflate; server_no_context_takeover=1", False),
        ("permessage-deflated", False),
        (";;,=,", False),
    ],
)
def test_offers_are_taken_or_left(server: WebServer, offer: str, agreed: bool) -> None:
    with RawSocket(server, {"type": "ping"}, headers=DEFLATE.format(offer)) as client:
        assert ("Sec-WebSocket-Extensions" in client.answer) is agreed
        assert client.read_until(lambda frame: decoded(frame).get("type") == "pong")


@pytest.mark.parametrize("takeover", [True, False])
def test_a_library_that_compresses_is_understood(server: WebServer, takeover: bool) -> None:
    factory = ClientPerMessageDeflateFactory(client_no_context_takeover=not takeover)
    with server.connect(extensions=[factory]) as client:
        assert client.connection.protocol.extensions
        client.ask({"type": "subscribe", "topics": ["system"]})
        for number in range(3):
            client.send({"type": "ping", "pad": "z" * 60_000})
            client.until("pong")
            seq = bus.publish(Topic.SYSTEM, {"n": number, "pad": "é" * 40_000})
            while (update := client.until("system_update"))["seq"] != seq:
                pass
            assert update["data"] == {"n": number, "pad": "é" * 40_000}


def test_what_unfolds_to_more_than_64_kb_closes_with_1009(server: WebServer) -> None:
    with server.connect(compression="deflate") as client:
        client.send("x" * 65_537)
        assert client.close_code() == 1009
