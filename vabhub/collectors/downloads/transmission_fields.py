"""Turn Transmission's fields into ours. Source: Transmission, docs/rpc-spec.md."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vabhub.collectors.downloads.base import DownloadItem, DownloadState, Transfer
from vabhub.collectors.downloads.fields import (
    fraction,
    listed,
    mapped,
    moment,
    number,
    ratio,
    text,
    whole,
)

FIELDS = [
    "id",
    "hashString",
    "name",
    "status",
    "error",
    "percentDone",
    "metadataPercentComplete",
    "sizeWhenDone",
    "leftUntilDone",
    "rateDownload",
    "rateUpload",
    "eta",
    "uploadRatio",
    "labels",
    "addedDate",
]

# 1 and 2 are a tracker's warning and error, with which a torrent goes on; 3 is a fault of this machine.
_LOCAL_ERROR = 3
_STATES = {
    1: DownloadState.CHECKING,
    2: DownloadState.CHECKING,
    3: DownloadState.QUEUED,
    5: DownloadState.COMPLETED,
    6: DownloadState.SEEDING,
}


def item_of(fields: Mapping[str, Any], instance: str) -> DownloadItem | None:
    """Return one torrent in our shape, None when it names no torrent."""
    torrent_hash = text(fields.get("hashString"))
    if torrent_hash is None or not isinstance(fields.get("id"), int):
        return None
    # A magnet without its metadata has size 0.
    size = whole(fields.get("sizeWhenDone")) if _has_metadata(fields) else None
    return DownloadItem(
        id=torrent_hash,
        instance=instance,
        name=text(fields.get("name")) or torrent_hash,
        state=_state(fields),
        progress=None if size is None else fraction(fields.get("percentDone")),
        size_bytes=size,
        left_bytes=None if size is None else whole(fields.get("leftUntilDone")),
        download_bps=whole(fields.get("rateDownload")),
        upload_bps=whole(fields.get("rateUpload")),
        eta_s=whole(fields.get("eta")),  # -1 and -2: not available, unknown
        ratio=ratio(fields.get("uploadRatio")),
        category=next(filter(None, map(text, listed(fields.get("labels")))), None),
        added_at=moment(fields.get("addedDate")),
    )


def transfer_of(stats: Mapping[str, Any], version: str | None) -> Transfer:
    """Return the totals of `session-stats`."""
    current = mapped(stats.get("current-stats"))
    return Transfer(
        version=version,
        dl_info_speed=whole(stats.get("downloadSpeed")),
        up_info_speed=whole(stats.get("uploadSpeed")),
        dl_info_data=whole(current.get("downloadedBytes")),
        up_info_data=whole(current.get("uploadedBytes")),
    )


def _has_metadata(fields: Mapping[str, Any]) -> bool:
    share = number(fields.get("metadataPercentComplete"))
    return share is None or share >= 1


def _state(fields: Mapping[str, Any]) -> DownloadState:
    status, error = number(fields.get("status")), number(fields.get("error"))
    if error == _LOCAL_ERROR:
        return DownloadState.ERROR
    if status == 0:
        done = _has_metadata(fields) and fields.get("leftUntilDone") == 0
        return DownloadState.COMPLETED if done else DownloadState.PAUSED
    if status == 4:
        return _downloading(fields)
    return _STATES.get(int(status), DownloadState.UNKNOWN) if status is not None else DownloadState.UNKNOWN


def _downloading(fields: Mapping[str, Any]) -> DownloadState:
    if not _has_metadata(fields):
        return DownloadState.METADATA
    return DownloadState.DOWNLOADING if whole(fields.get("rateDownload")) else DownloadState.STALLED
