"""Turn NZBGet's fields into ours. Source: NZBGet, daemon/remote/XmlRpc.cpp."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from vabhub.collectors.downloads.base import DownloadItem, DownloadState, Transfer
from vabhub.collectors.downloads.fields import mapped, share, text, whole

_QUEUED = {
    "QUEUED": DownloadState.QUEUED,
    "PAUSED": DownloadState.PAUSED,
    "DOWNLOADING": DownloadState.DOWNLOADING,
    "FETCHING": DownloadState.METADATA,
    "PP_QUEUED": DownloadState.CHECKING,
    "LOADING_PARS": DownloadState.CHECKING,
    "VERIFYING_SOURCES": DownloadState.CHECKING,
    "REPAIRING": DownloadState.CHECKING,
    "VERIFYING_REPAIRED": DownloadState.CHECKING,
    "RENAMING": DownloadState.MOVING,
    "UNPACKING": DownloadState.MOVING,
    "MOVING": DownloadState.MOVING,
    "EXECUTING_SCRIPT": DownloadState.MOVING,
    "PP_FINISHED": DownloadState.MOVING,
    "QS_QUEUED": DownloadState.CHECKING,
    "QS_EXECUTING": DownloadState.CHECKING,
}
_AT_WORK = frozenset({DownloadState.DOWNLOADING, DownloadState.STALLED})


def queue_items(groups: Sequence[Any], status: Mapping[str, Any], instance: str) -> Iterator[DownloadItem]:
    """Give the jobs of the queue. The speed is the server's: it is a job's own when just one is at work."""
    fields = [group for group in map(mapped, groups) if _id(group)]
    alone = sum(group.get("Status") == "DOWNLOADING" for group in fields) == 1
    for group in fields:
        state = _queued_state(group, status)
        working = state in _AT_WORK
        size, left = _sizes(group, paused=state is DownloadState.PAUSED)
        bps = whole(status.get("DownloadRate")) if alone or not working else None
        bps = bps if working or bps is None else 0
        yield DownloadItem(
            id=_id(group) or "",
            instance=instance,
            name=text(group.get("NZBName")) or _id(group) or "",
            state=state,
            progress=share(size - left, size) if size and left is not None else None,
            size_bytes=size,
            left_bytes=left,
            download_bps=bps,
            upload_bps=None,
            eta_s=math.ceil(left / bps) if left is not None and bps else None,
            ratio=None,
            category=text(group.get("Category")),
            added_at=None,
        )


def history_items(history: Sequence[Any], instance: str) -> Iterator[DownloadItem]:
    """Give the jobs that ended; those that somebody deleted are not shown."""
    for entry in map(mapped, history):
        state = _ended_state(text(entry.get("Status")) or "")
        job = _id(entry)
        if state is None or job is None:
            continue
        done = state is DownloadState.COMPLETED
        yield DownloadItem(
            id=job,
            instance=instance,
            name=text(entry.get("Name")) or text(entry.get("NZBName")) or job,
            state=state,
            progress=1.0 if done else None,
            size_bytes=_long(entry, "FileSize") or None,
            left_bytes=0 if done else None,
            download_bps=0,
            upload_bps=None,
            eta_s=None,
            ratio=None,
            category=text(entry.get("Category")),
            added_at=None,
        )


def transfer_of(status: Mapping[str, Any], version: str | None) -> Transfer:
    """Return the totals of `status`."""
    down, data = whole(status.get("DownloadRate")), _long(status, "DownloadedSize")
    return Transfer(version=version, dl_info_speed=down, dl_info_data=data)


def _id(fields: Mapping[str, Any]) -> str | None:
    number = whole(fields.get("NZBID"))
    return str(number) if number else None


def _queued_state(group: Mapping[str, Any], status: Mapping[str, Any]) -> DownloadState:
    state = _QUEUED.get(str(group.get("Status")), DownloadState.UNKNOWN)
    if state is DownloadState.QUEUED and status.get("DownloadPaused") is True:
        return DownloadState.PAUSED
    stands = state is DownloadState.DOWNLOADING and whole(status.get("DownloadRate")) == 0
    return DownloadState.STALLED if stands else state


def _ended_state(status: str) -> DownloadState | None:
    """Return what `SUCCESS/ALL`, `WARNING/SCRIPT`, `FAILURE/PAR` and the like mean; None for DELETED."""
    kind, _, why = status.partition("/")
    if kind == "SUCCESS" or (kind, why) == ("WARNING", "SCRIPT"):
        return DownloadState.COMPLETED
    if kind in ("WARNING", "FAILURE"):
        return DownloadState.ERROR
    return None if kind == "DELETED" else DownloadState.UNKNOWN


def _sizes(group: Mapping[str, Any], *, paused: bool) -> tuple[int | None, int | None]:
    """Return size and what is left, without the repair files that are only fetched when they are needed."""
    size, left, held = (_long(group, name) for name in ("FileSize", "RemainingSize", "PausedSize"))
    if size is None or left is None or left > size:
        return size or None, None
    spare = 0 if paused or held is None or held > left else held
    return (size - spare) or None, left - spare


def _long(fields: Mapping[str, Any], name: str) -> int | None:
    low, high = whole(fields.get(f"{name}Lo")), whole(fields.get(f"{name}Hi"))
    return None if low is None or high is None or max(low, high) >= 2**32 else (high << 32) | low
