"""A refused password is tried once, ever; real qBittorrent counts the attempts."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from tests.collectors.downloads.conftest import Clock, qbittorrent_at
from tests.support.downloads import collect_all
from tests.support.qbittorrent import PASSWORD, USERNAME, QBittorrentServer, running_qbittorrent
from vabhub import redis_client
from vabhub.collectors.downloads import QBittorrentCollector, credentials
from vabhub.redis_client import get_redis
from vabhub.settings import Settings, use_settings


def _wrong(server: QBittorrentServer, clock: Clock) -> QBittorrentCollector:
    return qbittorrent_at(server.url, USERNAME, "wrong", monotonic=clock)


@pytest.fixture
def server(tmp_path: Path) -> QBittorrentServer:
    """A qBittorrent of its own, whose log is empty."""
    with running_qbittorrent(tmp_path, max_failures=3, ban_s=3600) as own:
        yield own


def test_a_wrong_password_is_tried_once_and_never_again(server: QBittorrentServer, clock: Clock) -> None:
    collector = _wrong(server, clock)
    for _ in range(20):
        reading = collector.read()
        clock.now += 3600
    assert reading.fault is not None
    assert (reading.fault.code, reading.connection) == ("CREDENTIALS", "error")
    assert "VABHUB_QBITTORRENT_PASSWORD" in reading.fault.text
    assert "wrong" not in reading.fault.text
    assert server.failed_logins() == 1


def test_a_new_collector_and_a_new_process_do_not_try_again(server: QBittorrentServer, clock: Clock) -> None:
    _wrong(server, clock).read()
    _wrong(server, clock).read()
    credentials._refused.clear()  # what a restarted process knows
    assert _wrong(server, clock).read().fault.code == "CREDENTIALS"  # type: ignore[union-attr]
    assert server.failed_logins() == 1


def test_without_redis_a_process_that_knows_nothing_does_not_try(
    server: QBittorrentServer, clock: Clock, settings: Settings, tmp_path: Path
) -> None:
    _wrong(server, clock).read()
    credentials._refused.clear()
    redis_client.close()
    use_settings(settings.model_copy(update={"redis_url": f"unix://{tmp_path}/nobody"}))
    reading = _wrong(server, clock).read()
    redis_client.close()
    use_settings(settings)
    assert reading.fault is not None
    assert reading.fault.code == "UNCHECKED"
    assert server.failed_logins() == 1


def test_the_memory_holds_no_password_and_never_expires(server: QBittorrentServer, clock: Clock) -> None:
    _wrong(server, clock).read()
    key = b"vabhub:downloads:refused:qbittorrent"
    stored = get_redis().get(key)
    assert isinstance(stored, bytes) and b"wrong" not in stored
    assert get_redis().ttl(key) == -1


def test_another_password_is_tried_at_once_and_forgets_the_refused_one(
    server: QBittorrentServer, clock: Clock
) -> None:
    _wrong(server, clock).read()
    assert qbittorrent_at(server.url, USERNAME, PASSWORD).read().fault is None
    assert get_redis().exists(b"vabhub:downloads:refused:qbittorrent") == 0
    assert server.failed_logins() == 1


def test_readers_at_the_same_time_log_in_once(server: QBittorrentServer, settings: Settings) -> None:
    login = {"qbittorrent_username": USERNAME, "qbittorrent_password": "wrong"}
    chosen = settings.model_copy(update={"qbittorrent_url": server.url, **login})
    threads = [threading.Thread(target=collect_all, args=(chosen,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    snapshot = collect_all(chosen)
    assert (snapshot.status, snapshot.error_code) == ("error", "CREDENTIALS")
    assert snapshot.data and (snapshot.data["items"], snapshot.data["active"]) == ([], None)
    assert server.failed_logins() == 1


def test_a_missing_password_is_not_tried_at_all(server: QBittorrentServer) -> None:
    reading = qbittorrent_at(server.url, USERNAME, None).read()
    assert reading.fault is not None and reading.fault.code == "CREDENTIALS"
    assert "VABHUB_QBITTORRENT_PASSWORD" in reading.fault.text
    assert server.failed_logins() == 0


def test_a_ban_is_named_and_does_not_hammer(server: QBittorrentServer, clock: Clock) -> None:
    for number in range(3):  # somebody else on this machine
        qbittorrent_at(server.url, USERNAME, f"guess {number}", instance=f"other {number}").read()
    collector = qbittorrent_at(server.url, USERNAME, PASSWORD, monotonic=clock)
    reading = collector.read()
    assert reading.fault is not None
    assert (reading.fault.code, reading.connection) == ("BANNED", "error")
    clock.now += 299
    server.stop()
    assert collector.read() is reading  # not asked: it would be REFUSED by now
    clock.now += 2
    server.start()
    assert collector.read().fault is None  # a restart ends the ban; the password was never the fault


def test_a_session_survives_a_ban_of_the_address(server: QBittorrentServer) -> None:
    collector = qbittorrent_at(server.url, USERNAME, PASSWORD)
    assert collector.read().fault is None
    for number in range(3):
        qbittorrent_at(server.url, USERNAME, f"guess {number}", instance=f"other {number}").read()
    assert collector.read().fault is None
