"""The media library: its scans."""

from __future__ import annotations

from typing import Any

from flask import Blueprint
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from vabhub.accounts import Scope
from vabhub.db import reading
from vabhub.errors import Conflict, NotFound
from vabhub.models.library import LibraryRoot, LibraryScan
from vabhub.queues import Queue, Task, enqueue
from web.endpoint import endpoint
from web.envelope import Answer
from web.schemas import Out

bp = Blueprint("library", __name__)


class ScanRequest(BaseModel):
    """What to scan; everything when no root is named."""

    model_config = ConfigDict(extra="forbid")
    root_id: int | None = Field(None, ge=1, le=2**31 - 1)


class ScanStarted(Out):
    """The roots whose scan was queued."""

    roots: list[int]


class Scan(Out):
    """One root and its latest scan."""

    root_id: int
    root: str
    kind: str
    state: str | None
    done: int | None
    total: int | None


@endpoint(
    bp,
    "GET",
    "/library/scans",
    scope=Scope.READ,
    summary="Each root with its latest scan",
    answer=list[Scan],
)
def scans() -> list[dict[str, Any]]:
    """Return each root with its latest scan, null where there was none."""
    with reading() as session:
        roots = session.scalars(select(LibraryRoot).order_by(LibraryRoot.id)).all()
        return [_view(root, _latest(session, root.id)) for root in roots]


@endpoint(
    bp,
    "POST",
    "/library/scan",
    scope=Scope.CONTROL,
    summary="Scan a root, or all of them",
    body=ScanRequest,
    body_required=False,
    answer=ScanStarted,
    status=202,
    errors=(404, 409),
)
def scan(body: ScanRequest) -> Answer:
    """Queue a scan of the root, or of every enabled root."""
    roots = _roots(body.root_id)
    for root_id in roots:
        enqueue(Task.SCAN_LIBRARY, root_id, queue=Queue.LIBRARY)
    return Answer({"roots": roots}, "The scan was queued.")


def _roots(root_id: int | None) -> list[int]:
    query = select(LibraryRoot.id).where(LibraryRoot.enabled).order_by(LibraryRoot.id)
    if root_id is not None:
        query = query.where(LibraryRoot.id == root_id)
    with reading() as session:
        found = list(session.scalars(query))
    if not found and root_id is not None:
        raise NotFound("There is no such library root.")
    if not found:
        raise Conflict("No library root is set: VABHUB_MEDIA_ROOTS names them.")
    return found


def _latest(session: Session, root_id: int) -> LibraryScan | None:
    query = select(LibraryScan).where(LibraryScan.root_id == root_id).order_by(LibraryScan.id.desc()).limit(1)
    return session.scalar(query)


def _view(root: LibraryRoot, latest: LibraryScan | None) -> dict[str, Any]:
    fields = ("state", "done", "total", "added", "changed", "removed", "unreadable", "error")
    times = ("queued_at", "started_at", "updated_at", "finished_at")
    return {
        "root_id": root.id,
        "root": root.path,
        "kind": root.kind,
        "stale_reason": root.stale_reason,
        "scanned_at": root.scanned_at,
        **{name: getattr(latest, name, None) for name in (*fields, *times)},
    }
