"""Turn SABnzbd's queue and history, whose numbers are text, into ours. Source: SABnzbd, sabnzbd/api.py."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from vabhub.collectors.downloads.base import DownloadItem, DownloadState, Transfer
from vabhub.collectors.downloads.fields import MIB, listed, mapped, moment, share, text, whole, written

_QUEUED = {
    "Paused": DownloadState.PAUSED,
    "Queued": DownloadState.QUEUED,
    "Downloading": DownloadState.QUEUED,  # of all that wait their turn it says so, too
    "Propagating": DownloadState.QUEUED,
    "Checking": DownloadState.CHECKING,
    "Grabbing": DownloadState.METADATA,
    "Fetching": DownloadState.DOWNLOADING,
}
_HISTORY = {
    "Completed": DownloadState.COMPLETED,
    "Failed": DownloadState.ERROR,
    "Queued": DownloadState.CHECKING,
    "QuickCheck": DownloadState.CHECKING,
    "Verifying": DownloadState.CHECKING,
    "Repairing": DownloadState.CHECKING,
    "Fetching": DownloadState.DOWNLOADING,
    "Extracting": DownloadState.MOVING,
    "Moving": DownloadState.MOVING,
    "Running": DownloadState.MOVING,
}
_TIME_LEFT = re.compile(r"(?:(\d{1,4}):)?(\d{1,3}):(\d\d):(\d\d)")


def queue_items(queue: Mapping[str, Any], instance: str) -> Iterator[DownloadItem]:
    """Give the jobs of the queue; the topmost that is not held back is the one that is downloading."""
    bps = _speed(queue)
    running = False
    for slot in map(mapped, listed(queue.get("slots"))):
        job = text(slot.get("nzo_id"))
        if job is None:
            continue
        state = _queued_state(slot, paused=queue.get("paused") is True)
        if state is DownloadState.QUEUED and slot.get("status") == "Downloading" and not running:
            running = True
            state = DownloadState.DOWNLOADING if bps else DownloadState.STALLED
        size, left = _mib(slot.get("mb")), _mib(slot.get("mbleft"))
        left = left if size is not None and left is not None and left <= size else None
        yield DownloadItem(
            id=job,
            instance=instance,
            name=text(slot.get("filename")) or job,
            state=state,
            progress=share(size - left, size) if size and left is not None else None,
            size_bytes=size or None,
            left_bytes=left if size else None,
            download_bps=(bps if state is DownloadState.DOWNLOADING else 0) if bps is not None else None,
            upload_bps=None,
            eta_s=_seconds(slot.get("timeleft")) if state is DownloadState.DOWNLOADING else None,
            ratio=None,
            category=_category(slot.get("cat")),
            added_at=moment(slot.get("time_added")),
        )


def history_items(history: Mapping[str, Any], instance: str) -> Iterator[DownloadItem]:
    """Give the jobs that are downloaded: done, failed, or being unpacked."""
    for slot in map(mapped, listed(history.get("slots"))):
        job = text(slot.get("nzo_id"))
        if job is None:
            continue
        state = _HISTORY.get(str(slot.get("status")), DownloadState.UNKNOWN)
        size = whole(slot.get("bytes")) or None
        done = state is DownloadState.COMPLETED
        yield DownloadItem(
            id=job,
            instance=instance,
            name=text(slot.get("name")) or job,
            state=state,
            progress=1.0 if done else None,
            size_bytes=size,
            left_bytes=0 if done else None,
            download_bps=0 if done or state is DownloadState.ERROR else None,
            upload_bps=None,
            eta_s=None,
            ratio=None,
            category=_category(slot.get("category")),
            added_at=moment(slot.get("time_added")),
        )


def transfer_of(queue: Mapping[str, Any]) -> Transfer:
    """Return the totals; SABnzbd does not say how much it moved since it started."""
    return Transfer(version=text(queue.get("version")), dl_info_speed=_speed(queue))


def _queued_state(slot: Mapping[str, Any], *, paused: bool) -> DownloadState:
    state = _QUEUED.get(str(slot.get("status")), DownloadState.UNKNOWN)
    return DownloadState.PAUSED if paused and state is DownloadState.QUEUED else state


def _speed(queue: Mapping[str, Any]) -> int | None:
    kib = written(queue.get("kbpersec"))
    return None if kib is None else int(kib * 1024)


def _mib(value: Any) -> int | None:
    found = written(value)
    return None if found is None else int(found * MIB)


def _seconds(value: Any) -> int | None:
    match = _TIME_LEFT.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return None
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return days * 86_400 + hours * 3600 + minutes * 60 + seconds or None  # 0:00:00 means unknown


def _category(value: Any) -> str | None:
    return None if value in ("*", "None", "Default") else text(value)
