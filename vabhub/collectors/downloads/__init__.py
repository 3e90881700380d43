"""Read every configured download client and make one snapshot of them."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from vabhub.clock import utcnow
from vabhub.collectors.base import Snapshot, SnapshotStatus, Source
from vabhub.collectors.downloads.base import DownloadItem, DownloadSource, DownloadState, Reading
from vabhub.collectors.downloads.combine import combined_data, oldest, unconfigured_data
from vabhub.collectors.downloads.qbittorrent import QBittorrentCollector
from vabhub.settings import Settings

__all__ = [
    "DownloadItem",
    "DownloadSource",
    "DownloadState",
    "QBittorrentCollector",
    "Reading",
    "collect_all",
    "forget_collectors",
]

_Key = tuple[str, str, str | None]

_lock = threading.Lock()
# One collector a client and process: its session, its deltas and its last good values are in it.
_collectors: dict[_Key, QBittorrentCollector] = {}


def collect_all(settings: Settings) -> Snapshot:
    """Return the snapshot `downloads`; never raises for a client that fails.

    `ok` when every client answered, `stale` when a failing one still has its last good values, `error`
    when there are none, `unconfigured` without any client.
    """
    sources = _sources(settings)
    if not sources:
        return Snapshot(Source.DOWNLOADS, utcnow(), SnapshotStatus.UNCONFIGURED, data=unconfigured_data())
    return _snapshot([source.read() for source in sources])


def forget_collectors() -> None:
    """Close every collector; the next `collect_all` begins without a session or last values."""
    with _lock:
        for collector in _collectors.values():
            collector.close()
        _collectors.clear()


def _sources(settings: Settings) -> list[DownloadSource]:
    if not settings.qbittorrent_url:
        return []
    key = (settings.qbittorrent_url, settings.qbittorrent_username, settings.qbittorrent_password)
    with _lock:
        if key not in _collectors:
            _collectors[key] = QBittorrentCollector(*key)
        return [_collectors[key]]


def _snapshot(readings: Sequence[Reading]) -> Snapshot:
    data = combined_data(readings)
    faults = [reading.fault for reading in readings if reading.fault is not None]
    collected_at = oldest(readings)
    if not faults:
        return Snapshot(Source.DOWNLOADS, collected_at or utcnow(), SnapshotStatus.OK, data=data)
    status = SnapshotStatus.ERROR if collected_at is None else SnapshotStatus.STALE
    code, text = faults[0].code.value, faults[0].text
    return Snapshot(
        Source.DOWNLOADS, collected_at or utcnow(), status, error_code=code, error=text, data=data
    )
