"""Put the readings of all download clients together as `/api/dashboard/download-stats` shows them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from vabhub.clock import isoformat
from vabhub.collectors.downloads.base import DownloadItem, DownloadState, Reading

_GIB = 1024**3

_ACTIVE = frozenset(
    {
        DownloadState.CHECKING,
        DownloadState.DOWNLOADING,
        DownloadState.METADATA,
        DownloadState.MOVING,
        DownloadState.STALLED,
    }
)
_COMPLETED = frozenset({DownloadState.COMPLETED, DownloadState.SEEDING})

_UNKNOWN: dict[str, Any] = dict.fromkeys(
    (
        "active",
        "queued",
        "paused",
        "completed",
        "seeding",
        "failed",
        "total",
        "total_speed_mbps",
        "total_size_gb",
        "downloaded_gb",
        "download_bps",
        "upload_bps",
    )
)


def unconfigured_data() -> dict[str, Any]:
    """Return the fields of a system without a download client: nothing is known."""
    return {**_UNKNOWN, "items": [], "downloaders": {}, "collected_at": None}


def combined_data(readings: Sequence[Reading]) -> dict[str, Any]:
    """Return the download-stats fields of all instances together.

    `completed` counts what is seeding too, `seeding` alone is a part of it. `*_gb` are GiB, `*_bps`
    bytes/s. `total_speed_mbps` is the download speed in megabits (10^6 bits) per second.
    `collected_at` is the age of the oldest values in it. An instance that never answered adds nothing;
    when none ever did, every number is null.
    """
    heard = [reading for reading in readings if reading.collected_at is not None]
    items = [item for reading in heard for item in reading.items]
    return {
        **(_numbers(items, heard) if heard else _UNKNOWN),
        "items": [item.to_json() for item in items],
        "downloaders": {reading.instance: reading.status_json() for reading in readings},
        "collected_at": _iso(oldest(readings)),
    }


def oldest(readings: Iterable[Reading]) -> datetime | None:
    """Return when the oldest of the values was read, None when there are none."""
    return min((reading.collected_at for reading in readings if reading.collected_at), default=None)


def _numbers(items: Sequence[DownloadItem], heard: Sequence[Reading]) -> dict[str, Any]:
    download_bps = _sum(reading.transfer.dl_info_speed for reading in heard)
    states = Counter(item.state for item in items)
    return {
        "active": sum(states[state] for state in _ACTIVE),
        "queued": states[DownloadState.QUEUED],
        "paused": states[DownloadState.PAUSED],
        "completed": sum(states[state] for state in _COMPLETED),
        "seeding": states[DownloadState.SEEDING],
        "failed": states[DownloadState.ERROR],
        "total": len(items),
        "total_speed_mbps": None if download_bps is None else round(download_bps * 8 / 1e6, 3),
        "total_size_gb": _gib(item.size_bytes for item in items),
        "downloaded_gb": _gib(_done(item) for item in items),
        "download_bps": download_bps,
        "upload_bps": _sum(reading.transfer.up_info_speed for reading in heard),
    }


def _done(item: DownloadItem) -> int | None:
    if item.size_bytes is None or item.left_bytes is None:
        return None
    return max(0, item.size_bytes - item.left_bytes)


def _gib(sizes: Iterable[int | None]) -> float:
    return round(sum(size for size in sizes if size) / _GIB, 3)


def _sum(values: Iterable[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else isoformat(moment)
