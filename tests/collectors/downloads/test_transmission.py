"""A real Transmission is read: a real transfer, states, removals, a wrong password, a restart."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.collectors.downloads.conftest import Clock, config_of, named, reader
from tests.support.torrents import make_torrent, web_seed
from tests.support.transmission import TransmissionServer
from tests.support.waiting import wait_until
from vabhub.collectors.downloads import DownloadItem
from vabhub.collectors.downloads.collector import ClientCollector
from vabhub.collectors.downloads.transmission import rpc_address


def _in_state(collector: ClientCollector, name: str, state: str) -> DownloadItem | None:
    item = named(collector, name)
    return item if item and item.state == state else None


def test_a_real_transfer_is_seen_from_downloading_to_seeding(transmission: TransmissionServer) -> None:
    content = os.urandom(3 * 1024 * 1024)
    collector = reader(config_of(transmission))
    with web_seed(content, bytes_per_s=768 * 1024) as address:
        transmission.add(make_torrent("real.bin", content, address))
        running = wait_until(lambda: _in_state(collector, "real.bin", "downloading"), timeout_s=60)
        assert running.download_bps is not None and running.download_bps > 0
        assert (running.size_bytes, running.upload_bps) == (len(content), 0)
        done = wait_until(lambda: _in_state(collector, "real.bin", "seeding"), timeout_s=60)
    assert (done.progress, done.left_bytes) == (1.0, 0)
    assert done.added_at is not None and done.added_at.startswith("20")
    transfer = collector.read().transfer
    assert transfer.dl_info_data is not None and transfer.dl_info_data >= len(content)
    assert transfer.version is not None and transfer.version[0].isdigit()


def test_states_on_demand_and_a_removal(transmission: TransmissionServer) -> None:
    collector = reader(config_of(transmission))
    transmission.add(make_torrent("paused.bin", os.urandom(70_000)), paused=True)
    transmission.add(make_torrent("lonely.bin", os.urandom(70_000)))
    transmission.add("magnet:?xt=urn:btih:" + "a" * 40 + "&dn=nobody")
    expected = {"paused.bin": "paused", "lonely.bin": "stalled", "nobody": "metadata"}
    wait_until(
        lambda: {name: item.state for name in expected if (item := named(collector, name))} == expected
    )
    nobody = named(collector, "nobody")
    assert nobody and (nobody.size_bytes, nobody.progress, nobody.eta_s) == (None, None, None)
    transmission.call("torrent-remove", ids=[nobody.id])
    wait_until(lambda: named(collector, "nobody") is None)


def test_only_the_first_list_is_whole_and_it_is_renewed(
    transmission: TransmissionServer, clock: Clock
) -> None:
    collector = reader(config_of(transmission), clock)
    asked: list[object] = []
    call = collector.call
    collector.call = lambda method, **words: (asked.append(words.get("ids")), call(method, **words))[1]  # type: ignore[method-assign]
    for _ in range(2):
        collector.read()
    clock.now += 16
    collector.read()
    assert [ids for ids in asked if ids] == ["recently-active"]


def test_a_wrong_password_is_sent_once(transmission: TransmissionServer, clock: Clock) -> None:
    collector = reader(config_of(transmission, secret="wrong"), clock)
    for _ in range(3):
        fault = collector.read().fault
        assert fault is not None and fault.code == "CREDENTIALS"
        clock.now += 3600
    assert reader(config_of(transmission)).read().fault is None


def test_a_restart_with_another_path_of_the_rpc_is_followed(tmp_path: Path, clock: Clock) -> None:
    with TransmissionServer(tmp_path, rpc_url="/torrents/") as server:
        server.add(make_torrent("kept.bin", os.urandom(70_000)), paused=True)
        collector = reader(config_of(server, url=f"{server.url}/torrents"), clock)
        good = wait_until(lambda: (reading := collector.read()).items and reading)
        server.stop()
        down = collector.read()
        assert down.fault and (down.fault.code, down.items) == ("REFUSED", good.items)
        server.start()

        def again() -> bool:
            clock.now += 31  # it answers before it has its list
            return [item.name for item in collector.read().items] == ["kept.bin"]

        wait_until(again)
        wrong = reader(config_of(server)).read().fault
        assert wrong is not None and "redirects to another page" in wrong.text  # to its own web page


@pytest.mark.parametrize("path", ["", "/", "/transmission", "/transmission/web", "/transmission/rpc"])
def test_whichever_address_is_given_the_rpc_is_found(path: str) -> None:
    assert rpc_address(f"http://nas:9091{path}") == "http://nas:9091/transmission/rpc"
