"""Ask for scans, and say how they stand."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from vabhub.clock import isoformat
from vabhub.collectors.library.roots import sync_roots
from vabhub.collectors.library.scan_rows import (
    ScanState,
    cancel_open,
    fail_abandoned,
    locked_root,
    new_scan,
    open_scan,
)
from vabhub.db import after_commit, db_now
from vabhub.errors import Conflict, NotFound
from vabhub.models import LibraryRoot, LibraryScan
from vabhub.queues import Queue, Task, hint
from vabhub.settings import Settings

RESCAN_AFTER = timedelta(hours=6)
# A disk that was not mounted, or a worker that was stopped: looked at again soon, since it costs little.
RETRY_AFTER = timedelta(minutes=5)
# A hint that Redis lost is given again after this time.
HINT_AGAIN_AFTER = timedelta(seconds=30)


def request_scan(
    session: Session, root_id: int, *, full: bool = False, accept_missing: bool = False
) -> dict[str, Any]:
    """Queue a scan of one root and return it; one that is queued or running already is returned instead.

    The task is hinted after the commit. Raises NotFound for a root that does not exist or is disabled.
    """
    root = locked_root(session, root_id)
    if root is None or not root.enabled:
        raise NotFound(f"There is no media root {root_id}.")
    row = open_scan(session, root_id)
    if row is None:
        row = new_scan(session, root_id, full=full, accept_missing=accept_missing)
    elif row.state == ScanState.QUEUED:
        row.full, row.accept_missing = row.full or full, row.accept_missing or accept_missing
    after_commit(session, lambda: hint(Task.SCAN_LIBRARY, root_id, queue=Queue.LIBRARY))
    return _view(root, row)


def request_all_scans(session: Session, *, full: bool = False) -> list[dict[str, Any]]:
    """Queue a scan of every enabled root."""
    return [request_scan(session, root_id, full=full) for root_id in _enabled_ids(session)]


def cancel_scan(session: Session, scan_id: int) -> dict[str, Any]:
    """Cancel a scan that waits or runs and return it; the next one goes on from what it has stored.

    Raises NotFound for an id that does not exist, Conflict for a scan that is over.
    """
    if not cancel_open(session, scan_id) and session.get(LibraryScan, scan_id) is None:
        raise NotFound(f"There is no scan {scan_id}.")
    row = session.get_one(LibraryScan, scan_id, populate_existing=True)
    if row.state != ScanState.CANCELLED:
        raise Conflict("The scan is over.")
    return _view(session.get_one(LibraryRoot, row.root_id), row)


def request_due_scans(session: Session, settings: Settings) -> int:
    """Follow the settings and queue what is due: never scanned, long ago, or left lying. Return how many.

    For the scheduler, about once a minute. A scan whose hint or worker was lost is hinted again.
    """
    sync_roots(session, settings)
    now = db_now(session)
    due = [root_id for root_id in _enabled_ids(session) if _is_due(session, root_id, now)]
    for root_id in due:
        request_scan(session, root_id)
    return len(due)


def current_scans(session: Session) -> list[dict[str, Any]]:
    """Return the newest scan of each enabled root, as the page shows it."""
    newest = select(func.max(LibraryScan.id)).group_by(LibraryScan.root_id)
    rows = session.execute(
        select(LibraryRoot, LibraryScan)
        .join(LibraryScan, LibraryScan.root_id == LibraryRoot.id)
        .where(LibraryRoot.enabled, LibraryScan.id.in_(newest))
        .order_by(LibraryRoot.id)
    )
    return [_view(root, row) for root, row in rows]


def _is_due(session: Session, root_id: int, now: datetime) -> bool:
    fail_abandoned(session, root_id, now)
    last = session.scalar(
        select(LibraryScan).where(LibraryScan.root_id == root_id).order_by(LibraryScan.id.desc()).limit(1)
    )
    if last is None:
        return True
    if last.state == ScanState.QUEUED:
        return last.queued_at < now - HINT_AGAIN_AFTER
    if last.state == ScanState.RUNNING:
        return False
    if last.state == ScanState.FAILED:
        return last.queued_at < now - RETRY_AFTER
    if last.state == ScanState.CANCELLED:
        return last.queued_at < now - RESCAN_AFTER
    # A kind that was changed clears `scanned_at`.
    never = session.get_one(LibraryRoot, root_id).scanned_at is None
    return never or last.queued_at < now - RESCAN_AFTER


def _enabled_ids(session: Session) -> list[int]:
    return list(session.scalars(select(LibraryRoot.id).where(LibraryRoot.enabled).order_by(LibraryRoot.id)))


def _view(root: LibraryRoot, row: LibraryScan) -> dict[str, Any]:
    return {
        "id": row.id,
        "root_id": root.id,
        "root": root.path,
        "kind": root.kind,
        "state": row.state,
        "done": row.done or 0,
        "total": row.total,
        "started_at": _iso(row.started_at),
        "finished_at": _iso(row.finished_at),
        "error": row.error,
    }


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else isoformat(moment)
