"""Turn qBittorrent's fields (4.x and 5.x) into ours; what is not known becomes null, never 0."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vabhub.collectors.downloads.base import DownloadItem, DownloadState, Transfer
from vabhub.collectors.downloads.fields import fraction, moment, ratio, text, whole

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
        name=text(fields.get("name")) or torrent_hash,
        state=STATES.get(str(fields.get("state")), DownloadState.UNKNOWN),
        progress=fraction(fields.get("progress")) if known else None,
        size_bytes=size if known else None,
        left_bytes=whole(fields.get("amount_left")) if known else None,
        download_bps=whole(fields.get("dlspeed")),
        upload_bps=whole(fields.get("upspeed")),
        eta_s=_eta(fields.get("eta")),
        ratio=ratio(fields.get("ratio")),
        category=text(fields.get("category")),
        added_at=moment(fields.get("added_on")),
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


def _eta(value: Any) -> int | None:
    seconds = whole(value)
    return None if seconds is None or seconds >= _ETA_UNKNOWN_S else seconds
