"""The media library: its scans, what could not be read, what lies there twice, and its pictures."""

from __future__ import annotations

from typing import Any, Literal

from flask import Blueprint, Response, request
from pydantic import BaseModel, ConfigDict, Field, field_validator

from vabhub.accounts import Scope
from vabhub.collectors import library
from vabhub.db import reading, transaction
from vabhub.errors import Conflict
from web.endpoint import endpoint, page
from web.envelope import Answer
from web.schemas import Out, PageQuery

bp = Blueprint("library", __name__)


class ScanRequest(BaseModel):
    """What to scan; every root when none is named."""

    model_config = ConfigDict(extra="forbid")
    root_id: int | None = Field(None, ge=1, le=2**31 - 1)
    full: bool = Field(False, description="Look at every file, not only into folders that have changed")
    accept_missing: bool = Field(
        False, description="Believe a root that shows nothing any more; with root_id only"
    )


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


class _Paged(Out):
    total: int
    page: int
    page_size: int
    total_pages: int


class File(Out):
    """One file; `path` is relative to `root`."""

    id: int
    root: str
    root_kind: str
    path: str
    kind: str
    title: str | None
    year: int | None
    season: int | None
    episode: int | None
    quality: str | None
    size_bytes: int
    added_at: str
    overridden: bool


class FilePage(_Paged):
    """Files, a page at a time."""

    items: list[File]


class Work(Out):
    """A film or an episode with its copies."""

    kind: str
    title: str
    year: int | None
    season: int | None
    episode: int | None
    size_bytes: int
    files: list[File]


class WorkPage(_Paged):
    """Works, a page at a time."""

    items: list[Work]


class Override(BaseModel):
    """What a file is."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)
    kind: Literal["movie", "episode", "anime"]
    title: str = Field(min_length=1, max_length=300)
    year: int | None = Field(None, ge=1870, le=2200)
    season: int | None = Field(None, ge=0, le=9999)
    episode: int | None = Field(None, ge=0, le=99_999)

    @field_validator("title")
    @classmethod
    def _storable(cls, title: str) -> str:
        if not title.isprintable():
            raise ValueError("must be one line of printable characters")
        return title


class Codec(Out):
    """What MediaInfo read; all null with a `reason` otherwise."""

    video_codec: str | None
    audio_codec: str | None
    width: int | None
    height: int | None
    duration_s: float | None
    reason: str | None


class Watch(Out):
    """How many folders of a root are watched for changes, and why not all."""

    folders: int
    watched: int
    reason: Literal["limit", "system_limit", "unreadable", "unsupported"] | None


class Root(Out):
    """One root; numbers are null until it was scanned, `stale` are those of before."""

    id: int
    root: str
    kind: str
    files: int | None
    size_gb: float | None
    scanned_at: str | None
    status: Literal["ok", "stale", "pending"]
    error: str | None
    scan: Scan | None
    watch: Watch | None


@endpoint(
    bp,
    "GET",
    "/library/roots",
    scope=Scope.READ,
    summary="The media roots with their counts and scans",
    answer=list[Root],
)
def roots() -> list[dict[str, Any]]:
    """Return every root with its newest scan."""
    with reading() as session:
        return library.roots_view(session)


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
            options = {"full": body.full, "accept_missing": body.accept_missing}
            queued = [library.request_scan(session, body.root_id, **options)]
        else:
            queued = library.request_all_scans(session, full=body.full)
    if not queued:
        raise Conflict("No library root is set: VABHUB_MEDIA_ROOTS names them.")
    return Answer(queued, "The scan was queued.")


@endpoint(
    bp,
    "POST",
    "/library/scans/<id:scan_id>/cancel",
    scope=Scope.CONTROL,
    summary="Cancel a scan that waits or runs; the next one goes on from what it has stored",
    answer=Scan,
    errors=(404, 409),
)
def cancel(scan_id: int) -> dict[str, Any]:
    """Cancel a scan."""
    with transaction() as session:
        return library.cancel_scan(session, scan_id)


@endpoint(
    bp,
    "GET",
    "/library/unparsed",
    scope=Scope.READ,
    summary="Files that nobody could read, then those that a person has corrected",
    query=PageQuery,
    answer=FilePage,
)
def unparsed(query: PageQuery) -> dict[str, Any]:
    """Return a page of them."""
    with reading() as session:
        return library.unparsed(session, page=query.page, page_size=query.page_size)


@endpoint(
    bp,
    "GET",
    "/library/duplicates",
    scope=Scope.READ,
    summary="Films and episodes that lie there more than once",
    query=PageQuery,
    answer=WorkPage,
)
def duplicates(query: PageQuery) -> dict[str, Any]:
    """Return a page of them."""
    with reading() as session:
        return library.duplicates(session, page=query.page, page_size=query.page_size)


@endpoint(
    bp,
    "PUT",
    "/library/files/<id:file_id>/override",
    scope=Scope.CONTROL,
    summary="Say what a file is; that stays over every scan",
    body=Override,
    answer=File,
    errors=(404,),
)
def set_override(file_id: int, body: Override) -> dict[str, Any]:
    """Correct what a file's name says."""
    with transaction() as session:
        return library.set_override(session, file_id, body.model_dump())


@endpoint(
    bp,
    "DELETE",
    "/library/files/<id:file_id>/override",
    scope=Scope.CONTROL,
    summary="Believe a file's name again",
    answer=File,
    errors=(404,),
)
def remove_override(file_id: int) -> dict[str, Any]:
    """Forget a correction."""
    with transaction() as session:
        return library.remove_override(session, file_id)


@endpoint(
    bp,
    "GET",
    "/library/files/<id:file_id>/codec",
    scope=Scope.READ,
    summary="What MediaInfo reads in a file; null with a reason where it cannot",
    answer=Codec,
    errors=(404,),
)
def codec(file_id: int) -> dict[str, Any]:
    """Return codec and picture size."""
    return library.read_codec(file_id)


@page(bp, "/library/files/<id:file_id>/poster", access=Scope.READ)
def poster(file_id: int) -> Response:
    """Answer with the picture beside a file."""
    found = library.read_poster(file_id)
    response = Response(found.content, mimetype=found.content_type)
    response.set_etag(found.version)
    response.headers["Cache-Control"] = "private, max-age=300"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.make_conditional(request)
    return response
