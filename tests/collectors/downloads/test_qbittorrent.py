"""A real qBittorrent is read: a real transfer, a restart, removals, and what the dashboard shows of it."""

from __future__ import annotations

import os
from pathlib import Path

from requests.adapters import HTTPAdapter

from tests.collectors.downloads.conftest import Clock, qbittorrent_at
from tests.support.downloads import collect_all
from tests.support.qbittorrent import PASSWORD, USERNAME, QBittorrentServer, running_qbittorrent
from tests.support.torrents import make_torrent, web_seed
from tests.support.waiting import wait_until
from vabhub.collectors.downloads import Action, DownloadItem, DownloadState, QBittorrentCollector
from vabhub.collectors.downloads.qbittorrent_api import QBittorrentApi
from vabhub.settings import Settings


def _collector(server: QBittorrentServer, clock: Clock | None = None) -> QBittorrentCollector:
    return qbittorrent_at(server.url, USERNAME, PASSWORD, **({"monotonic": clock} if clock else {}))


def _named(collector: QBittorrentCollector, name: str) -> DownloadItem | None:
    return next((item for item in collector.read().items if item.name == name), None)


def test_a_real_transfer_is_seen_from_downloading_to_seeding(qbittorrent: QBittorrentServer) -> None:
    content = os.urandom(4 * 1024 * 1024)
    collector = _collector(qbittorrent)

    def in_state(state: DownloadState) -> DownloadItem | None:
        item = _named(collector, "real.bin")
        return item if item and item.state is state else None

    # Eight seconds: qBittorrent renews its own numbers every 1.5 s.
    with web_seed(content, bytes_per_s=512 * 1024) as address:
        qbittorrent.add(make_torrent("real.bin", content, address), category="films")
        running = wait_until(lambda: in_state(DownloadState.DOWNLOADING), timeout_s=60)
        assert running.download_bps is not None and running.download_bps > 0
        assert running.progress is not None and 0 <= running.progress <= 1
        assert (running.size_bytes, running.category) == (len(content), "films")
        done = wait_until(lambda: in_state(DownloadState.SEEDING), timeout_s=60)
    assert (done.progress, done.left_bytes) == (1.0, 0)
    assert collector.read().transfer.dl_info_data >= len(content)  # type: ignore[operator]
    assert (qbittorrent.downloads / "real.bin").read_bytes() == content


def test_states_on_demand(qbittorrent: QBittorrentServer) -> None:
    collector = _collector(qbittorrent)
    torrent = make_torrent("paused.bin", os.urandom(70_000))
    qbittorrent.add(torrent, is_paused=True)
    qbittorrent.add("magnet:?xt=urn:btih:" + "a" * 40 + "&dn=nobody")
    qbittorrent.add(make_torrent("lonely.bin", os.urandom(70_000)))
    expected = {"paused.bin": "paused", "nobody": "metadata", "lonely.bin": "stalled"}
    wait_until(
        lambda: {name: item.state for name in expected if (item := _named(collector, name))} == expected,
        timeout_s=30,
    )
    nobody = _named(collector, "nobody")
    assert nobody and (nobody.size_bytes, nobody.progress, nobody.eta_s) == (None, None, None)


def test_a_removed_torrent_leaves_the_list(qbittorrent: QBittorrentServer) -> None:
    collector = _collector(qbittorrent)
    qbittorrent.add(make_torrent("leaving.bin", os.urandom(70_000)), is_paused=True)
    item = wait_until(lambda: _named(collector, "leaving.bin"))
    with qbittorrent.client() as client:
        client.torrents_delete(torrent_hashes=item.id)
    wait_until(lambda: _named(collector, "leaving.bin") is None)
    assert _named(_collector(qbittorrent), "leaving.bin") is None


def test_only_the_first_answer_is_whole(qbittorrent: QBittorrentServer) -> None:
    api = QBittorrentApi(qbittorrent.url, USERNAME, PASSWORD)
    api.log_in()
    first = api.changes(0)
    assert first.get("full_update") is True
    assert "full_update" not in api.changes(first["rid"])


def test_one_connection_serves_all_questions(qbittorrent: QBittorrentServer) -> None:
    collector = _collector(qbittorrent)
    for _ in range(5):
        assert collector.read().fault is None
    adapter = collector._api._client._session.get_adapter(qbittorrent.url)
    assert isinstance(adapter, HTTPAdapter)
    pools = adapter.poolmanager.pools
    assert [pools[key].num_connections for key in pools.keys()] == [1]  # noqa: SIM118 - not a dict


def test_the_snapshot_has_the_fields_of_the_contract(
    qbittorrent: QBittorrentServer, settings: Settings
) -> None:
    chosen = _configured(settings, qbittorrent)
    snapshot = collect_all(chosen)
    data = snapshot.data
    assert data is not None and snapshot.status == "ok"
    contract = {
        "active",
        "paused",
        "completed",
        "failed",
        "total_speed_mbps",
        "total_size_gb",
        "downloaded_gb",
    }
    assert contract | {"download_bps", "upload_bps", "items", "downloaders"} <= set(data)
    assert data["downloaders"] == {
        "qbittorrent": {
            "connected": True,
            "status": "online",
            "version": "v4.5.2",
            "kind": "qbittorrent",
            "capabilities": ["delete", "delete_files", "pause", "resume"],
            **{key: data["downloaders"]["qbittorrent"][key] for key in _TRANSFER},
        }
    }
    assert all(data["downloaders"]["qbittorrent"][key] is not None for key in _TRANSFER)
    assert (
        data["active"] + data["queued"] + data["paused"] + data["completed"] + data["failed"] == data["total"]
    )


_TRANSFER = ("dl_info_speed", "up_info_speed", "dl_info_data", "up_info_data")


def test_without_an_address_it_is_unconfigured(settings: Settings) -> None:
    snapshot = collect_all(settings)
    assert (snapshot.status, snapshot.error) == ("unconfigured", None)
    assert snapshot.data is not None
    assert (snapshot.data["items"], snapshot.data["downloaders"], snapshot.data["active"]) == ([], {}, None)


def test_a_restart_keeps_the_last_values_and_logs_in_once_more(tmp_path: Path, clock: Clock) -> None:
    with running_qbittorrent(tmp_path) as server:
        server.add(make_torrent("kept.bin", os.urandom(70_000)), is_paused=True)
        collector = _collector(server, clock)
        good = wait_until(lambda: (reading := collector.read()).items and reading)
        server.stop()
        down = collector.read()
        assert down.fault and (down.fault.code, down.connection) == ("REFUSED", "offline")
        assert (down.items, down.collected_at) == (good.items, good.collected_at)
        server.start()
        clock.now += 31
        again = wait_until(lambda: (reading := collector.read()).items and reading)
        assert (again.fault, again.connection) == (None, "online")
        assert [item.name for item in again.items] == ["kept.bin"]
        assert server.failed_logins() == 0


def test_the_snapshot_of_a_stopped_client_is_stale(tmp_path: Path, settings: Settings) -> None:
    with running_qbittorrent(tmp_path) as server:
        chosen = _configured(settings, server)
        good = collect_all(chosen)
        server.stop()
        stale = collect_all(chosen)
    assert (good.status, stale.status, stale.error_code) == ("ok", "stale", "REFUSED")
    assert stale.collected_at == good.collected_at
    assert stale.data and good.data
    assert stale.data["collected_at"] == good.data["collected_at"]
    assert stale.data["download_bps"] == good.data["download_bps"]
    entry = stale.data["downloaders"]["qbittorrent"]
    assert (entry["connected"], entry["status"], entry["error_code"]) == (False, "offline", "REFUSED")


def _configured(settings: Settings, server: QBittorrentServer) -> Settings:
    login = {"qbittorrent_username": USERNAME, "qbittorrent_password": PASSWORD}
    return settings.model_copy(update={"qbittorrent_url": server.url, **login})


def test_it_does_what_it_is_told(qbittorrent: QBittorrentServer) -> None:
    collector = _collector(qbittorrent)
    qbittorrent.add(make_torrent("told.bin", os.urandom(70_000)))
    item = wait_until(lambda: _named(collector, "told.bin"))
    for action, state in ((Action.PAUSE, "paused"), (Action.RESUME, "stalled")):
        assert collector.control(action, [item.id]) == {}
        wait_until(lambda state=state: _named(collector, "told.bin").state == state)
    assert collector.control(Action.DELETE, ["all"]) == {"all": "qBittorrent has no such download."}
    assert collector.control(Action.DELETE, [item.id], delete_files=True) == {}
    wait_until(lambda: _named(collector, "told.bin") is None)
