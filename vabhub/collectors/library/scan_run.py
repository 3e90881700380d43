"""Run a scan with its progress on record."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from dramatiq.middleware import Shutdown
from sqlalchemy import update

from vabhub.collectors.library.growth import record_day
from vabhub.collectors.library.scan import Progress, RootGone, ScanResult, scan
from vabhub.collectors.library.scan_rows import (
    ScanState,
    changed_one,
    fail_abandoned,
    locked_root,
    new_scan,
    open_scan,
    update_running,
)
from vabhub.db import db_now, transaction
from vabhub.errors import VabHubError
from vabhub.log import get_logger
from vabhub.models import Activity, LibraryRoot, LibraryScan

log = get_logger(__name__)

Scanner = Callable[[int, Progress], ScanResult]

_PROGRESS_EVERY_S = 0.25


class ScanLost(VabHubError):
    """The scan's row is no longer running: another worker took the root over, or it was cancelled."""


def run_scan(root_id: int, *, scanner: Scanner | None = None) -> bool:
    """Run the queued scan of a root; False when one is running, or there is no such root.

    A task that nobody queued a row for is a request of its own. Safe to run twice: the second run finds
    the first one running, or reads no name again.
    """
    claimed = claim(root_id)
    if claimed is None:
        return False
    scan_id = claimed.id
    scanner = scanner or partial(scan, full=claimed.full, accept_missing=claimed.accept_missing)
    try:
        result = scanner(root_id, ProgressWriter(scan_id))
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
class ProgressWriter:
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
            if not update_running(session, self.scan_id, done=shown, total=total):
                raise ScanLost(f"Scan {self.scan_id} is not running any more.")


@dataclass(frozen=True, slots=True)
class Claimed:
    """A scan that is ours to run, and how it was asked for."""

    id: int
    full: bool
    accept_missing: bool


def claim(root_id: int) -> Claimed | None:
    """Set the root's scan running and return it; the root's row is the lock."""
    with transaction() as session:
        root = locked_root(session, root_id)
        if root is None or not root.enabled:
            return None
        now = db_now(session)
        fail_abandoned(session, root_id, now)
        row = open_scan(session, root_id) or new_scan(session, root_id)
        started = session.execute(
            update(LibraryScan)
            .where(LibraryScan.id == row.id, LibraryScan.state == ScanState.QUEUED.value)
            .values(state=ScanState.RUNNING.value, started_at=now, updated_at=now)
            .execution_options(synchronize_session=False)
        )
        return Claimed(row.id, row.full, row.accept_missing) if changed_one(started) else None


def _requeue(scan_id: int) -> None:
    """Leave the rest to the next worker: what is stored already is not read again."""
    with transaction() as session:
        update_running(session, scan_id, state=ScanState.QUEUED.value, started_at=None)


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
        if not update_running(session, scan_id, state=state.value, finished_at=now, error=error, **counts):
            return
        root, is_news = session.get_one(LibraryRoot, root_id), True
        if state is ScanState.DONE:
            root.scanned_at, root.stale_reason = now, None
            root.full_scan_at = now if result.full else root.full_scan_at
            record_day(session, root_id, now)
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
        "root_kind": root.kind,
        "scan_id": scan_id,
        "total": result.total,
        "added": result.added,
        "changed": result.changed,
        "removed": result.removed,
        "error": error,
    }
    title = f"{root.path}: {error}" if error else f"{root.path}: {result.total} files, {result.added} new"
    kind = "library.scan_failed" if error else "library.scan_done"
    return Activity(at=at, kind=kind, source="library", title=title, data=data)
