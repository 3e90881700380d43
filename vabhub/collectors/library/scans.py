"""Ask for a scan, run it with its progress on record, and say how the scans stand."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from dramatiq.middleware import Shutdown
from sqlalchemy import CursorResult, Result, func, select, update
from sqlalchemy.orm import Session

from vabhub.clock import isoformat
from vabhub.collectors.library.roots import sync_roots
from vabhub.collectors.library.scan import Progress, RootGone, ScanResult, scan
from vabhub.db import after_commit, db_now, transaction
from vabhub.errors import NotFound, VabHubError
from vabhub.log import get_logger
from vabhub.models import Activity, LibraryRoot, LibraryScan
from vabhub.queues import Queue, Task, hint
from vabhub.settings import Settings

log = get_logger(__name__)

RESCAN_AFTER = timedelta(hours=6)
# A disk that was not mounted, or a worker that was stopped: looked at again soon, since it costs little.
RETRY_AFTER = timedelta(minutes=5)
# A running scan writes at least every few seconds; one that is silent for so long has lost its worker.
ABANDONED_AFTER = timedelta(seconds=60)
# A hint that Redis lost is given again after this time.
HINT_AGAIN_AFTER = timedelta(seconds=30)
_PROGRESS_EVERY_S = 0.25


class ScanState(StrEnum):
    """How a scan stands."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


Scanner = Callable[[int, Progress], ScanResult]

_OPEN = (ScanState.QUEUED.value, ScanState.RUNNING.value)


class ScanLost(VabHubError):
    """The scan's row is no longer running: another worker took the root over, or it was cancelled."""


def request_scan(session: Session, root_id: int) -> dict[str, Any]:
    """Queue a scan of one root and return it; one that is queued or running already is returned instead.

    The task is hinted after the commit. Raises NotFound for a root that does not exist or is disabled.
    """
    root = _locked_root(session, root_id)
    if root is None or not root.enabled:
        raise NotFound(f"There is no media root {root_id}.")
    row = _open_scan(session, root_id) or _new_scan(session, root_id)
    after_commit(session, lambda: hint(Task.SCAN_LIBRARY, root_id, queue=Queue.LIBRARY))
    return _view(root, row)


def request_all_scans(session: Session) -> list[dict[str, Any]]:
    """Queue a scan of every enabled root."""
    ids = session.scalars(select(LibraryRoot.id).where(LibraryRoot.enabled).order_by(LibraryRoot.id))
    return [request_scan(session, root_id) for root_id in ids.all()]


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


def run_scan(root_id: int, *, scanner: Scanner = scan) -> bool:
    """Run the queued scan of a root; False when one is running, or there is no such root.

    A task that nobody queued a row for is a request of its own. Safe to run twice: the second run finds
    the first one running, or reads no name again.
    """
    scan_id = _claim(root_id)
    if scan_id is None:
        return False
    try:
        result = scanner(root_id, _ProgressWriter(scan_id))
    except RootGone as error:
        _finish(root_id, scan_id, ScanState.FAILED, ScanResult(), error=error.message, stale=error.message)
    except ScanLost:
        log.warning("library.scan_lost", scan_id=scan_id, root_id=root_id)
    except Shutdown:
        _requeue(scan_id)
        raise
    except BaseException as error:
        # A time limit comes as an exception too: the row must not look alive afterwards.
        _finish(
            root_id, scan_id, ScanState.FAILED, ScanResult(), error=f"{type(error).__name__}: {error}"[:500]
        )
        raise
    else:
        _finish(root_id, scan_id, ScanState.DONE, result)
    return True


@dataclass(slots=True)
class _ProgressWriter:
    """Writes a scan's progress, at most four times a second; raises ScanLost when the row is not ours."""

    scan_id: int
    _next_at: float = field(default=0.0)

    def __call__(self, done: int, total: int | None) -> None:
        now = time.monotonic()
        if now < self._next_at:
            return
        self._next_at = now + _PROGRESS_EVERY_S
        shown = done if total is not None else 0
        with transaction() as session:
            if not _update_running(session, self.scan_id, done=shown, total=total):
                raise ScanLost(f"Scan {self.scan_id} is not running any more.")


def _claim(root_id: int) -> int | None:
    """Set the root's scan running and return its id; the root's row is the lock."""
    with transaction() as session:
        root = _locked_root(session, root_id)
        if root is None or not root.enabled:
            return None
        now = db_now(session)
        _fail_abandoned(session, root_id, now)
        row = _open_scan(session, root_id) or _new_scan(session, root_id)
        started = session.execute(
            update(LibraryScan)
            .where(LibraryScan.id == row.id, LibraryScan.state == ScanState.QUEUED.value)
            .values(state=ScanState.RUNNING.value, started_at=now, updated_at=now)
            .execution_options(synchronize_session=False)
        )
        return row.id if _changed_one(started) else None


def _open_scan(session: Session, root_id: int) -> LibraryScan | None:
    wanted = (LibraryScan.root_id == root_id, LibraryScan.state.in_(_OPEN))
    return session.scalar(select(LibraryScan).where(*wanted).order_by(LibraryScan.id).limit(1))


def _new_scan(session: Session, root_id: int) -> LibraryScan:
    row = LibraryScan(root_id=root_id, state=ScanState.QUEUED.value, queued_at=db_now(session))
    session.add(row)
    session.flush()
    return row


def _fail_abandoned(session: Session, root_id: int, now: datetime) -> None:
    session.execute(
        update(LibraryScan)
        .where(
            LibraryScan.root_id == root_id,
            LibraryScan.state == ScanState.RUNNING.value,
            LibraryScan.updated_at < now - ABANDONED_AFTER,
        )
        .values(state=ScanState.FAILED.value, finished_at=now, error="The worker stopped during the scan.")
        .execution_options(synchronize_session=False)
    )


def _update_running(session: Session, scan_id: int, **values: Any) -> bool:
    changed = session.execute(
        update(LibraryScan)
        .where(LibraryScan.id == scan_id, LibraryScan.state == ScanState.RUNNING.value)
        .values(updated_at=db_now(session), **values)
        .execution_options(synchronize_session=False)
    )
    return _changed_one(changed)


def _changed_one(result: Result[Any]) -> bool:
    return isinstance(result, CursorResult) and result.rowcount == 1


def _requeue(scan_id: int) -> None:
    """Leave the rest to the next worker: what is stored already is not read again."""
    with transaction() as session:
        _update_running(session, scan_id, state=ScanState.QUEUED.value, started_at=None)


def _finish(
    root_id: int,
    scan_id: int,
    state: ScanState,
    result: ScanResult,
    *,
    error: str | None = None,
    stale: str | None = None,
) -> None:
    counts = {name: getattr(result, name) for name in ("parsed", "added", "changed", "removed", "unreadable")}
    if state is ScanState.DONE:
        counts |= {"done": result.total, "total": result.total}
    with transaction() as session:
        now = db_now(session)
        if not _update_running(session, scan_id, state=state.value, finished_at=now, error=error, **counts):
            return
        root, is_news = session.get_one(LibraryRoot, root_id), True
        if state is ScanState.DONE:
            root.scanned_at, root.stale_reason = now, None
        elif stale is not None:
            is_news, root.stale_reason = root.stale_reason != stale, stale
        if is_news:
            session.add(_activity(root, scan_id, now, result, error))


def _activity(
    root: LibraryRoot, scan_id: int, at: datetime, result: ScanResult, error: str | None
) -> Activity:
    data = {
        "root_id": root.id,
        "root": root.path,
        "scan_id": scan_id,
        "total": result.total,
        "added": result.added,
        "removed": result.removed,
        "error": error,
    }
    title = f"{root.path}: {error}" if error else f"{root.path}: {result.total} files, {result.added} new"
    kind = "library.scan_failed" if error else "library.scan_done"
    return Activity(at=at, kind=kind, source="library", title=title, data=data)


def _locked_root(session: Session, root_id: int) -> LibraryRoot | None:
    return session.scalar(select(LibraryRoot).where(LibraryRoot.id == root_id).with_for_update())


def _enabled_ids(session: Session) -> Iterable[int]:
    return session.scalars(select(LibraryRoot.id).where(LibraryRoot.enabled).order_by(LibraryRoot.id)).all()


def _is_due(session: Session, root_id: int, now: datetime) -> bool:
    _fail_abandoned(session, root_id, now)
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
    # A kind that was changed clears `scanned_at`.
    never = session.get_one(LibraryRoot, root_id).scanned_at is None
    return never or last.queued_at < now - RESCAN_AFTER


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
