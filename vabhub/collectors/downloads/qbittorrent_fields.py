"""Turn qBittorrent's fields (4.x and 5.x) into ours; what is not known becomes null, never 0."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from vabhub.clock import isoformat
from vabhub.collectors.downloads.base import DownloadItem, DownloadState, Transfer

# qBittorrent writes 100 days when it cannot tell.
_ETA_UNKNOWN_S = 8_640_000

STATES: dict[str, DownloadState] = {
    "allocating": DownloadState.DOWNLOADING,
    "checkingDL": DownloadState.CHECKING,
    "checkingResumeData": DownloadState.CHECKING,
    "checkingUP": DownloadState.CHECKING,
    "downloading": DownloadState.DOWNLOADING,
    "error": DownloadState.ERROR,
    "forcedDL": DownloadState.DOWNLOADING,
    "forcedMetaDL": DownloadState.METADATA,
    "forcedUP": DownloadState.SEEDING,
    "metaDL": DownloadState.METADATA,
    "missingFiles": DownloadState.ERROR,
    "moving": DownloadState.MOVING,
    "pausedDL": DownloadState.PAUSED,
    "pausedUP": DownloadState.COMPLETED,
    "queuedDL": DownloadState.QUEUED,
    "queuedUP": DownloadState.COMPLETED,
    "stalledDL": DownloadState.STALLED,
    "stalledUP": DownloadState.SEEDING,
    "stoppedDL": DownloadState.PAUSED,
    "stoppedUP": DownloadState.COMPLETED,
    "unknown": DownloadState.UNKNOWN,
    "uploading": DownloadState.SEEDING,
}


def item_of(torrent_hash: str, fields: Mapping[str, Any], instance: str) -> DownloadItem:
    """Return one torrent of `sync/maindata` in our shape; a field of a wrong type counts as unknown."""
    size = whole(fields.get("size"))
    # A magnet without its metadata has size 0 and total_size -1; size 0 alone can be "no file wanted".
    known = bool(size) or (size == 0 and bool(whole(fields.get("total_size"))))
    return DownloadItem(
        id=torrent_hash,
        instance=instance,
        name=str(fields.get("name") or torrent_hash),
        state=STATES.get(str(fields.get("state")), DownloadState.UNKNOWN),
        progress=_fraction(fields.get("progress")) if known else None,
        size_bytes=size if known else None,
        left_bytes=whole(fields.get("amount_left")) if known else None,
        download_bps=whole(fields.get("dlspeed")),
        upload_bps=whole(fields.get("upspeed")),
        eta_s=_eta(fields.get("eta")),
        ratio=_ratio(fields.get("ratio")),
        category=str(fields["category"]) if fields.get("category") else None,
        added_at=_moment(fields.get("added_on")),
    )


def transfer_of(server_state: Mapping[str, Any], version: str | None) -> Transfer:
    """Return the totals of `server_state`."""
    return Transfer(
        version=version,
        dl_info_speed=whole(server_state.get("dl_info_speed")),
        up_info_speed=whole(server_state.get("up_info_speed")),
        dl_info_data=whole(server_state.get("dl_info_data")),
        up_info_data=whole(server_state.get("up_info_data")),
    )


def whole(value: Any) -> int | None:
    """Return a whole number ≥ 0, or None for anything else."""
    number = _number(value)
    return None if number is None or number < 0 else int(number)


def _number(value: Any) -> float | int | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    # NaN and the infinities are valid to Python's JSON reader.
    return value if abs(value) < 2**63 else None


def _fraction(value: Any) -> float | None:
    number = _number(value)
    return None if number is None or not 0 <= number <= 1 else round(float(number), 4)


def _ratio(value: Any) -> float | None:
    number = _number(value)
    return None if number is None or number < 0 else round(float(number), 3)


def _eta(value: Any) -> int | None:
    seconds = whole(value)
    return None if seconds is None or seconds >= _ETA_UNKNOWN_S else seconds


def _moment(value: Any) -> str | None:
    seconds = whole(value)
    if not seconds:
        return None
    try:
        return isoformat(datetime.fromtimestamp(seconds, UTC))
    except (OverflowError, ValueError, OSError):
        return None
