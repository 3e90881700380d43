"""The media library: its scans."""

from __future__ import annotations

from typing import Any

from flask import Blueprint
from pydantic import BaseModel, ConfigDict, Field

from vabhub.accounts import Scope
from vabhub.collectors import library
from vabhub.db import reading, transaction
from vabhub.errors import Conflict
from web.endpoint import endpoint
from web.envelope import Answer
from web.schemas import Out

bp = Blueprint("library", __name__)


class ScanRequest(BaseModel):
    """What to scan; every root when none is named."""

    model_config = ConfigDict(extra="forbid")
    root_id: int | None = Field(None, ge=1, le=2**31 - 1)


class Scan(Out):
    """One scan of one root."""

    id: int
    root_id: int
    root: str
    kind: str
    state: str
    done: int
    total: int | None
    started_at: str | None
    finished_at: str | None
    error: str | None


@endpoint(
    bp,
    "GET",
    "/library/scans",
    scope=Scope.READ,
    summary="The newest scan of each root",
    answer=list[Scan],
)
def scans() -> list[dict[str, Any]]:
    """Return the newest scan of each root."""
    with reading() as session:
        return library.current_scans(session)


@endpoint(
    bp,
    "POST",
    "/library/scan",
    scope=Scope.CONTROL,
    summary="Scan a root, or all of them; one that waits or runs already is returned",
    body=ScanRequest,
    body_required=False,
    answer=list[Scan],
    status=202,
    errors=(404, 409),
)
def scan(body: ScanRequest) -> Answer:
    """Queue a scan of one root, or of every root."""
    with transaction() as session:
        if body.root_id is not None:
            queued = [library.request_scan(session, body.root_id)]
        else:
            queued = library.request_all_scans(session)
    if not queued:
        raise Conflict("No library root is set: VABHUB_MEDIA_ROOTS names them.")
    return Answer(queued, "The scan was queued.")
