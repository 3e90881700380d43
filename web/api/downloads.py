"""Downloads: the merged list of all clients, and what can be done with them."""

from __future__ import annotations

from typing import Any, Literal

from flask import Blueprint
from pydantic import BaseModel, ConfigDict, Field

from vabhub.accounts import Scope
from vabhub.collectors.downloads import Action, DownloadState, Result, Target, clients_by_name, control
from vabhub.collectors.downloads.listing import Filter, SortKey, listed
from vabhub.collectors.services import configured
from vabhub.errors import Conflict, NotFound, Unavailable
from vabhub.settings import get_settings
from web import auth
from web.dashboard_data import dashboard_payload
from web.endpoint import endpoint
from web.envelope import Answer
from web.schemas import Out, Paged, PageQuery

bp = Blueprint("downloads", __name__)

MOST_TARGETS = 500
_DONE = {Action.PAUSE: "paused", Action.RESUME: "resumed", Action.DELETE: "deleted"}


class DownloadQuery(PageQuery):
    """Which downloads, and in which order; what is not known comes last."""

    q: str | None = Field(None, min_length=1, max_length=200, description="Any part of the name")
    instance: str | None = Field(None, min_length=1, max_length=64)
    state: DownloadState | None = None
    category: str | None = Field(None, min_length=1, max_length=200)
    sort: SortKey = SortKey.NAME
    order: Literal["asc", "desc"] = "asc"


class TargetIn(BaseModel):
    """One download, as the list names it."""

    model_config = ConfigDict(extra="forbid")
    instance: str = Field(min_length=1, max_length=64)
    id: str = Field(min_length=1, max_length=128)


class Targets(BaseModel):
    """What to pause or resume."""

    model_config = ConfigDict(extra="forbid")
    items: list[TargetIn] = Field(min_length=1, max_length=MOST_TARGETS)


class Deletion(Targets):
    """What to delete. The files stay unless `delete_files` says otherwise."""

    delete_files: bool = False


class ResultOut(Out):
    """What became of one download; without an error it was done."""

    instance: str
    id: str
    error_code: str | None
    error: str | None


class Results(Out):
    """How many it was done with, and each one's result."""

    done: int
    failed: int
    results: list[ResultOut]


@endpoint(
    bp,
    "GET",
    "/downloads",
    scope=Scope.READ,
    summary="The downloads of all clients in one list",
    query=DownloadQuery,
    answer=Paged,
)
def listing(query: DownloadQuery) -> Answer:
    """Return a page of the merged list, from the last reading."""
    data, meta = dashboard_payload("downloads")
    wanted = Filter(query.q, query.instance, query.state, query.category)
    found = listed(data["items"] or [], wanted, query.sort, descending=query.order == "desc")
    start = (query.page - 1) * query.page_size
    page = {
        "items": found[start : start + query.page_size],
        "total": len(found),
        "page": query.page,
        "page_size": query.page_size,
        "total_is_exact": True,
        "total_pages": -(-len(found) // query.page_size),
    }
    return Answer(page, meta=meta)


@endpoint(
    bp,
    "POST",
    "/downloads/pause",
    scope=Scope.CONTROL,
    summary="Pause downloads",
    body=Targets,
    answer=Results,
    errors=(404, 409, 503),
)
def pause(body: Targets) -> Answer:
    """Pause each of them."""
    return _control(Action.PAUSE, body)


@endpoint(
    bp,
    "POST",
    "/downloads/resume",
    scope=Scope.CONTROL,
    summary="Resume downloads",
    body=Targets,
    answer=Results,
    errors=(404, 409, 503),
)
def resume(body: Targets) -> Answer:
    """Resume each of them."""
    return _control(Action.RESUME, body)


@endpoint(
    bp,
    "POST",
    "/downloads/delete",
    scope=Scope.CONTROL,
    summary="Delete downloads from their client, and their files only when asked",
    body=Deletion,
    answer=Results,
    errors=(404, 409, 503),
)
def delete(body: Deletion) -> Answer:
    """Delete each of them."""
    return _control(Action.DELETE, body, delete_files=body.delete_files)


def _control(action: Action, body: Targets, *, delete_files: bool = False) -> Answer:
    clients = clients_by_name(configured(get_settings()))
    unknown = sorted({item.instance for item in body.items} - set(clients))
    if unknown:
        raise NotFound(f"There is no download client called {unknown[0]}.")
    targets = [Target(item.instance, item.id) for item in body.items]
    results = control(clients, action, targets, delete_files=delete_files, by=auth.current().name)
    return _answer(action, results)


def _answer(action: Action, results: list[Result]) -> Answer:
    failed = [result for result in results if result.error is not None]
    data: dict[str, Any] = {"done": len(results) - len(failed), "failed": len(failed), "results": results}
    if len(failed) < len(results):
        return Answer(data, f"{data['done']} of {len(results)} {_DONE[action]}.")
    first = failed[0]
    details = {"results": [{"instance": one.instance, "id": one.id, "error": one.error} for one in failed]}
    if first.is_refusal:
        raise Conflict(first.error or "", details=details)
    raise Unavailable(first.error or "", details=details)
