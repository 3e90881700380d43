"""Long lists as changes: for who asks for them, and whole again for who missed one."""

from __future__ import annotations

from typing import Any

from tests.live.raw import RawSocket
from tests.live.server import Talk, WebServer
from tests.live.test_wire import decoded
from vabhub.events import bus
from vabhub.events.topics import Topic

WANTED = {"type": "subscribe", "topics": ["downloads"], "deltas": True}


def item(number: int, **more: Any) -> dict[str, Any]:
    return {
        "instance": "qb",
        "id": f"hash{number}",
        "name": f"Film {number} " + "x" * 60,
        "progress": 0,
        **more,
    }


def publish(*items: dict[str, Any], active: int = 1) -> int:
    seq = bus.publish(Topic.DOWNLOADS, {"active": active, "items": list(items)}, {"source": "downloads"})
    assert seq is not None
    return seq


def received(client: Talk, seq: int) -> Any:
    while (message := client.receive()).get("seq") != seq:
        pass
    return message


def test_the_change_follows_the_whole(server: WebServer) -> None:
    items = [item(number) for number in range(100)]
    with server.connect() as client:
        client.ask(WANTED)
        assert received(client, publish(item(0)))["type"] == "download_update"
        first = publish(*items)
        assert received(client, first)["type"] == "download_update"
        seq = publish(*items[1:50], item(50, progress=0.5), *items[51:], item(100), active=2)
        patch = received(client, seq)
    assert (patch["type"], patch["topic"], patch["base_seq"]) == ("download_patch", "downloads", first)
    assert patch["data"]["fields"] == {"active": 2}
    assert patch["data"]["removed"] == [{"instance": "qb", "id": "hash0"}]
    assert patch["data"]["items"] == [item(50, progress=0.5), item(100)]
    assert patch["meta"] == {"source": "downloads"}


def test_who_did_not_ask_gets_the_whole_list(server: WebServer) -> None:
    items = [item(number) for number in range(100)]
    with server.connect() as asking, server.connect() as other:
        asking.ask(WANTED)
        other.ask({"type": "subscribe", "topics": ["downloads"]})
        received(asking, publish(*items))
        seq = publish(*items[1:])
        assert received(asking, seq)["type"] == "download_patch"
        assert len(received(other, seq)["data"]["items"]) == 99


def test_subscribing_again_brings_the_whole_list(server: WebServer) -> None:
    items = [item(number) for number in range(100)]
    with server.connect() as client:
        client.ask(WANTED)
        received(client, publish(*items))
        seq = publish(*items[1:])
        assert received(client, seq)["type"] == "download_patch"
        client.send(WANTED)
        whole = client.until("download_update")
    assert whole["seq"] == seq
    assert len(whole["data"]["items"]) == 99


def test_short_lists_and_great_changes_come_whole(server: WebServer) -> None:
    items = [item(number) for number in range(100)]
    with server.connect() as client:
        client.ask(WANTED)
        for listed in (
            items[:1],
            items,
            [item(number, progress=1) for number in range(100)],
            items[:3],
            items[:2],
        ):
            assert received(client, publish(*listed))["type"] == "download_update"


def test_who_was_too_slow_for_one_gets_the_next_whole(server: WebServer) -> None:
    items = [item(number, pad="y" * 2000) for number in range(100)]
    with RawSocket(server, WANTED) as slow, server.connect() as quick:
        quick.ask(WANTED)
        for turn in range(60):
            items[turn] = item(turn, pad="z" * 2000)
            received(quick, publish(*items))
        seen, held = None, dict[str, Any]()
        while "hash59" not in held or held["hash59"].get("pad", "")[:1] != "z":
            message = decoded(slow.read_until(lambda frame: frame.first == 0x81))
            listed = {one["id"]: one for one in message.get("data", {}).get("items", [])}
            if message["type"] == "download_patch":
                assert message["base_seq"] == seen
                held |= listed
            elif message["type"] == "download_update":
                held = listed
            seen = message.get("seq", seen)
    assert list(held.values()) == items
