"""Read every configured download client and make one snapshot of them."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from vabhub.clock import utcnow
from vabhub.collectors.base import Snapshot, SnapshotStatus, Source
from vabhub.collectors.downloads import credentials
from vabhub.collectors.downloads.base import Action, DownloadItem, DownloadState, Reading
from vabhub.collectors.downloads.collector import ClientCollector
from vabhub.collectors.downloads.combine import combined_data, oldest, unconfigured_data
from vabhub.collectors.downloads.config import ClientConfig, ClientKind, from_settings
from vabhub.collectors.downloads.control import Result, Target, control
from vabhub.collectors.downloads.gather import Gatherer
from vabhub.collectors.downloads.kinds import collector_of
from vabhub.collectors.downloads.qbittorrent import QBittorrentCollector

__all__ = [
    "Action",
    "ClientConfig",
    "ClientKind",
    "DownloadItem",
    "DownloadState",
    "QBittorrentCollector",
    "Reading",
    "Result",
    "Target",
    "clients_by_name",
    "collector_of",
    "control",
    "credentials",
    "forget_collectors",
    "from_settings",
    "read_all",
    "snapshot_of",
    "wake",
]

_lock = threading.Lock()
# One collector a client and process: its session, its deltas and its last good values are in it.
_collectors: dict[ClientConfig, ClientCollector] = {}
_gatherer = Gatherer()


def read_all(configs: Sequence[ClientConfig]) -> list[Reading]:
    """Return the newest reading of each of these clients; collectors of others are closed.

    A client that fails gives its last values with the fault; nothing of it is ever raised.
    """
    return _gatherer.read(_collectors_of(configs)) if configs else []


def clients_by_name(configs: Sequence[ClientConfig]) -> dict[str, ClientCollector]:
    """Return this process's collector of each of these clients, by the instance's name."""
    return {collector.instance: collector for collector in _collectors_of(configs)}


def wake() -> None:
    """Ask every client next time, also one that failed and would be left alone for a while."""
    with _lock:
        for collector in _collectors.values():
            collector.wake()


def forget_collectors() -> None:
    """Close every collector; the next `read_all` begins without a session or last values."""
    with _lock:
        for collector in _collectors.values():
            collector.close()
        _collectors.clear()


def _collectors_of(configs: Sequence[ClientConfig]) -> list[ClientCollector]:
    with _lock:
        for gone in set(_collectors) - set(configs):
            _collectors.pop(gone).close()
        for config in configs:
            if config not in _collectors:
                _collectors[config] = collector_of(config)
        return [_collectors[config] for config in configs]


def snapshot_of(readings: Sequence[Reading]) -> Snapshot:
    """Return one snapshot of all readings.

    `ok` when every client answered, `stale` when a failing one still has its last good values, `error`
    when there are none, `unconfigured` without any client.
    """
    if not readings:
        return Snapshot(Source.DOWNLOADS, utcnow(), SnapshotStatus.UNCONFIGURED, data=unconfigured_data())
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
