"""What became of one download between two readings."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from vabhub.collectors.downloads.base import DownloadItem, DownloadState


class Phase(StrEnum):
    """Where a download is on its way."""

    RUNNING = "running"
    STALLED = "stalled"
    DONE = "done"
    FAILED = "failed"


class Happened(StrEnum):
    """What is worth telling; the names of the events."""

    ADDED = "download.added"
    COMPLETED = "download.completed"
    FAILED = "download.failed"
    STALLED = "download.stalled"


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of a download, and what was told of it."""

    phase: Phase
    since: datetime
    added_at: str | None
    added_told: bool
    failed_told_at: datetime | None = None
    stalled_told_at: datetime | None = None


# An error that comes and goes, and a seed that does, are told once in a while only.
_FAILED_AGAIN = timedelta(hours=1)
_STALLED_AGAIN = timedelta(hours=24)

_PHASES = {
    DownloadState.COMPLETED: Phase.DONE,
    DownloadState.SEEDING: Phase.DONE,
    DownloadState.ERROR: Phase.FAILED,
    DownloadState.STALLED: Phase.STALLED,
    DownloadState.METADATA: Phase.STALLED,
    DownloadState.DOWNLOADING: Phase.RUNNING,
    DownloadState.QUEUED: Phase.RUNNING,
    DownloadState.PAUSED: Phase.RUNNING,
}


def first_sight(item: DownloadItem, now: datetime) -> Seen:
    """Return what is known of a download that was there before us: nothing of it is told."""
    return Seen(_phase(item, None), now, item.added_at, added_told=True)


def is_unchanged(seen: Seen | None, item: DownloadItem) -> bool:
    """Tell at once that nothing happened, as for nearly all of a long list; `step` knows for certain."""
    return (
        seen is not None
        and seen.phase is _PHASES.get(item.state)
        and seen.phase is not Phase.STALLED
        and seen.added_told
        and seen.added_at == item.added_at
    )


def step(
    seen: Seen | None, item: DownloadItem, now: datetime, stalled_after: timedelta
) -> tuple[Seen, list[Happened]]:
    """Return what is known now, and what happened since `seen`; None is a download that was not there."""
    before = None if seen is None or _is_another(seen, item) else seen
    phase = _phase(item, before)
    now_seen = _moved(before, phase, item, now)
    told: list[Happened] = []
    # A magnet is told when it has its name.
    if not now_seen.added_told and item.state is not DownloadState.METADATA:
        told.append(Happened.ADDED)
        now_seen = replace(now_seen, added_told=True)
    is_new_phase = before is None or before.phase is not phase
    if phase is Phase.DONE and is_new_phase:
        told.append(Happened.COMPLETED)
    if phase is Phase.FAILED and is_new_phase and _is_due(now_seen.failed_told_at, now, _FAILED_AGAIN):
        told.append(Happened.FAILED)
        now_seen = replace(now_seen, failed_told_at=now)
    if _stalls(now_seen, now, stalled_after):
        told.append(Happened.STALLED)
        now_seen = replace(now_seen, stalled_told_at=now)
    return now_seen, told


def _is_another(seen: Seen, item: DownloadItem) -> bool:
    """Tell whether it was deleted and added again meanwhile."""
    return item.added_at is not None and seen.added_at is not None and item.added_at != seen.added_at


def _phase(item: DownloadItem, before: Seen | None) -> Phase:
    # While it is checked, moved or not understood, nothing new is known.
    fallback = before.phase if before else Phase.DONE if item.progress == 1 else Phase.RUNNING
    phase = _PHASES.get(item.state, fallback)
    if before is not None and before.phase is Phase.DONE and phase in (Phase.RUNNING, Phase.STALLED):
        is_whole = item.progress is None or item.progress == 1
        return Phase.DONE if is_whole else phase
    return phase


def _moved(before: Seen | None, phase: Phase, item: DownloadItem, now: datetime) -> Seen:
    if before is None:
        return Seen(phase, now, item.added_at, added_told=False)
    if before.phase is phase:
        return before if before.added_at is not None else replace(before, added_at=item.added_at)
    return replace(before, phase=phase, since=now, added_at=before.added_at or item.added_at)


def _stalls(seen: Seen, now: datetime, stalled_after: timedelta) -> bool:
    if seen.phase is not Phase.STALLED or now - seen.since < stalled_after:
        return False
    return _is_due(seen.stalled_told_at, now, _STALLED_AGAIN)


def _is_due(told_at: datetime | None, now: datetime, again: timedelta) -> bool:
    return told_at is None or now - told_at >= again
