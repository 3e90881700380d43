"""A real aria2 is read: a real transfer, states, a wrong secret."""

from __future__ import annotations

import base64
import os

from tests.collectors.downloads.conftest import Clock, config_of, named, reader
from tests.support.aria2 import Aria2Server
from tests.support.torrents import make_torrent, web_seed
from tests.support.waiting import wait_until
from vabhub.collectors.downloads import Action
from vabhub.collectors.downloads.aria2_fields import item_of


def test_real_transfers_are_seen_to_their_end(aria2: Aria2Server) -> None:
    content = os.urandom(2 * 1024 * 1024)
    collector = reader(config_of(aria2))

    def states() -> dict[str, str]:
        return {item.name: item.state.value for item in collector.read().items}

    with web_seed(content, bytes_per_s=768 * 1024) as address:
        aria2.call("aria2.addUri", [address], {"out": "web.bin"})
        torrent = base64.b64encode(make_torrent("seed.bin", content, address)).decode()
        aria2.call("aria2.addTorrent", torrent)
        wait_until(lambda: states()["web.bin"] == "downloading")
        running = named(collector, "web.bin")
        assert running and running.size_bytes == len(content)
        wait_until(
            lambda: (states()["web.bin"], states()["seed.bin"]) == ("completed", "seeding"), timeout_s=60
        )
    done = named(collector, "web.bin")
    assert done and (done.progress, done.left_bytes, done.ratio, done.eta_s) == (1.0, 0, None, None)


def test_states_on_demand_and_what_is_not_shown(aria2: Aria2Server) -> None:
    collector = reader(config_of(aria2))
    aria2.call("aria2.addUri", ["http://127.0.0.1:1/held.bin"], {"pause": "true"})
    aria2.call("aria2.addUri", ["http://127.0.0.1:1/broken.bin"], {"max-tries": "1"})
    aria2.call("aria2.addUri", ["magnet:?xt=urn:btih:" + "b" * 40 + "&dn=nobody"])
    gone = aria2.call("aria2.addUri", ["http://127.0.0.1:1/gone.bin"], {"pause": "true"})
    aria2.call("aria2.remove", gone)
    expected = {"held.bin": "paused", "broken.bin": "error", "[METADATA]nobody": "metadata", "gone.bin": None}

    def found() -> dict[str, str | None]:
        return {name: (item.state.value if (item := named(collector, name)) else None) for name in expected}

    wait_until(lambda: found() == expected)
    held = named(collector, "held.bin")
    assert held and (held.size_bytes, held.progress, held.added_at) == (None, None, None)


def test_it_does_what_it_is_told(aria2: Aria2Server) -> None:
    collector = reader(config_of(aria2))
    with web_seed(os.urandom(2 * 1024 * 1024), bytes_per_s=64 * 1024) as address:
        aria2.call("aria2.addUri", [address], {"out": "told.bin"})
        gid = wait_until(lambda: named(collector, "told.bin")).id
        for action, state in ((Action.PAUSE, "paused"), (Action.RESUME, "downloading")):
            assert collector.control(action, [gid]) == {}
            wait_until(lambda state=state: named(collector, "told.bin").state == state)
        assert collector.control(Action.DELETE, [gid, "0123"]) == {"0123": "GID 0123 is not found"}
        wait_until(lambda: named(collector, "told.bin") is None)


def test_a_wrong_secret_is_sent_once(aria2: Aria2Server, clock: Clock) -> None:
    collector = reader(config_of(aria2, secret="wrong"), clock)
    for _ in range(3):
        fault = collector.read().fault
        assert fault is not None and fault.code == "CREDENTIALS"
        clock.now += 3600


def test_a_magnets_metadata_gives_way_to_its_torrent() -> None:
    assert item_of({"gid": "1", "status": "complete", "followedBy": ["2"]}, "a") is None
