"""The media library: its scans, what could not be read, what lies there twice, and its pictures."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request

from vabhub.accounts import Scope
from vabhub.collectors import library
from vabhub.db import reading, transaction
from vabhub.errors import Conflict
from web.endpoint import endpoint, page
from web.envelope import Answer
from web.library_schemas import Codec, File, FilePage, Override, Root, Scan, ScanRequest, WorkPage
from web.schemas import PageQuery

bp = Blueprint("library", __name__)


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
