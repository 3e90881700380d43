"""The rows of scans: opened, claimed and closed by conditional updates; the root's row is the lock."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import CursorResult, Result, select, update
from sqlalchemy.orm import Session

from vabhub.db import db_now
from vabhub.models import LibraryRoot, LibraryScan

# A running scan writes at least every few seconds; one that is silent for so long has lost its worker.
ABANDONED_AFTER = timedelta(seconds=60)


class ScanState(StrEnum):
    """How a scan stands."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


_OPEN = (ScanState.QUEUED.value, ScanState.RUNNING.value)


def locked_root(session: Session, root_id: int) -> LibraryRoot | None:
    """Return the root, locked until the transaction ends."""
    return session.scalar(select(LibraryRoot).where(LibraryRoot.id == root_id).with_for_update())


def open_scan(session: Session, root_id: int) -> LibraryScan | None:
    """Return the scan that is queued or running."""
    wanted = (LibraryScan.root_id == root_id, LibraryScan.state.in_(_OPEN))
    return session.scalar(select(LibraryScan).where(*wanted).order_by(LibraryScan.id).limit(1))


def new_scan(
    session: Session, root_id: int, *, full: bool = False, accept_missing: bool = False
) -> LibraryScan:
    """Queue a scan."""
    row = LibraryScan(
        root_id=root_id,
        state=ScanState.QUEUED.value,
        queued_at=db_now(session),
        full=full,
        accept_missing=accept_missing,
    )
    session.add(row)
    session.flush()
    return row


def cancel_open(session: Session, scan_id: int) -> bool:
    """Cancel a scan that is queued or running; False when it is neither. A running one ends soon."""
    changed = session.execute(
        update(LibraryScan)
        .where(LibraryScan.id == scan_id, LibraryScan.state.in_(_OPEN))
        .values(state=ScanState.CANCELLED.value, finished_at=db_now(session))
        .execution_options(synchronize_session=False)
    )
    return changed_one(changed)


def fail_abandoned(session: Session, root_id: int, now: datetime) -> None:
    """Close a running scan whose worker is gone."""
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


def update_running(session: Session, scan_id: int, **values: Any) -> bool:
    """Change a running scan; False when it is not running any more."""
    changed = session.execute(
        update(LibraryScan)
        .where(LibraryScan.id == scan_id, LibraryScan.state == ScanState.RUNNING.value)
        .values(updated_at=db_now(session), **values)
        .execution_options(synchronize_session=False)
    )
    return changed_one(changed)


def changed_one(result: Result[Any]) -> bool:
    """Tell whether a conditional update found its row."""
    return isinstance(result, CursorResult) and result.rowcount == 1
