"""Turn aria2's fields, all of them text, into ours. Source: aria2's manual, `aria2.tellStatus`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any
from urllib.parse import unquote, urlsplit

from vabhub.collectors.downloads.base import DownloadItem, DownloadState, Transfer
from vabhub.collectors.downloads.fields import listed, mapped, ratio, share, text, written

KEYS = [
    "gid",
    "status",
    "totalLength",
    "completedLength",
    "uploadLength",
    "downloadSpeed",
    "uploadSpeed",
    "followedBy",
    "bittorrent",
    "seeder",
    "verifiedLength",
    "verifyIntegrityPending",
    "files",
]
_STATES = {
    "waiting": DownloadState.QUEUED,
    "paused": DownloadState.PAUSED,
    "complete": DownloadState.COMPLETED,
    "error": DownloadState.ERROR,
}


def item_of(fields: Mapping[str, Any], instance: str) -> DownloadItem | None:
    """Return one download in our shape.

    None for one that was removed, and for a magnet's metadata whose torrent is listed by itself.
    """
    gid = text(fields.get("gid"))
    if gid is None or fields.get("status") == "removed" or fields.get("followedBy"):
        return None
    size, done, uploaded, down, up = (_bytes(fields.get(name)) for name in _NUMBERS)
    size = size or None  # 0 until it is known
    left = None if size is None or done is None or done > size else size - done
    state = _state(fields, down)
    return DownloadItem(
        id=gid,
        instance=instance,
        name=_name(fields) or gid,
        state=state,
        progress=share(done, size),
        size_bytes=size,
        left_bytes=left,
        download_bps=down,
        upload_bps=up,
        eta_s=_eta(left, down) if state is DownloadState.DOWNLOADING else None,
        ratio=ratio(uploaded / done) if uploaded is not None and done and "bittorrent" in fields else None,
        category=None,
        added_at=None,
    )


_NUMBERS = ("totalLength", "completedLength", "uploadLength", "downloadSpeed", "uploadSpeed")


def transfer_of(stat: Mapping[str, Any], version: str | None) -> Transfer:
    """Return the totals of `getGlobalStat`; aria2 does not say how much it moved since it started."""
    down, up = _bytes(stat.get("downloadSpeed")), _bytes(stat.get("uploadSpeed"))
    return Transfer(version=version, dl_info_speed=down, up_info_speed=up)


def _bytes(value: Any) -> int | None:
    found = written(value)
    return None if found is None else int(found)


def _state(fields: Mapping[str, Any], down: int | None) -> DownloadState:
    status = fields.get("status")
    if status != "active":
        return _STATES.get(str(status), DownloadState.UNKNOWN)
    if fields.get("verifyIntegrityPending") == "true" or "verifiedLength" in fields:
        return DownloadState.CHECKING
    if fields.get("seeder") == "true" and "bittorrent" in fields and _is_whole(fields):
        return DownloadState.SEEDING
    if "bittorrent" in fields and "info" not in mapped(fields["bittorrent"]):
        return DownloadState.METADATA
    return DownloadState.DOWNLOADING if down else DownloadState.STALLED


def _is_whole(fields: Mapping[str, Any]) -> bool:
    return fields.get("totalLength") == fields.get("completedLength") != "0"


def _name(fields: Mapping[str, Any]) -> str | None:
    """Return the torrent's name, else the first file's, else the last part of where it comes from."""
    torrent = text(mapped(mapped(fields.get("bittorrent")).get("info")).get("name"))
    if torrent:
        return torrent
    first = mapped(next(iter(listed(fields.get("files"))), None))
    path = PurePath(text(first.get("path")) or "").name
    return path or _from_address(text(mapped(next(iter(listed(first.get("uris"))), None)).get("uri")))


def _from_address(uri: str | None) -> str | None:
    try:
        return text(unquote(PurePath(urlsplit(uri or "").path).name))
    except ValueError:
        return None


def _eta(left: int | None, down: int | None) -> int | None:
    # aria2 tells none; the others reckon theirs in the same way.
    return None if left is None or not down else math.ceil(left / down)
