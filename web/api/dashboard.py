"""The dashboard's numbers, cached, with their age and an ETag."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response

from vabhub.accounts import Scope
from vabhub.clock import isoformat, utcnow
from vabhub.collectors import history as stored
from vabhub.settings import get_settings
from web import schemas
from web.dashboard_data import dashboard_payload, dashboard_reading
from web.encoded import conditional, encode, encode_once
from web.endpoint import endpoint
from web.schemas import HistoryQuery

__all__ = ["bp", "dashboard_payload"]

bp = Blueprint("dashboard", __name__)


@endpoint(
    bp, "GET", "/dashboard/", scope=Scope.READ, summary="Everything in one answer", answer=schemas.Dashboard
)
def overview() -> Response:
    """Return the whole dashboard."""
    return _answer("dashboard")


@endpoint(
    bp,
    "GET",
    "/dashboard/system-stats",
    "/dashboard/stats/system",
    scope=Scope.READ,
    summary="The machine: processor, memory, disks, network",
    answer=schemas.SystemStats,
)
def system() -> Response:
    """Return the machine's numbers."""
    return _answer("system")


@endpoint(
    bp,
    "GET",
    "/dashboard/media-stats",
    "/dashboard/stats/media",
    scope=Scope.READ,
    summary="The library of films and series",
    answer=schemas.MediaStats,
)
def media() -> Response:
    """Return the library's numbers."""
    return _answer("media")


@endpoint(
    bp,
    "GET",
    "/dashboard/download-stats",
    scope=Scope.READ,
    summary="All download clients together",
    answer=schemas.DownloadStats,
)
def downloads() -> Response:
    """Return what is being downloaded."""
    return _answer("downloads")


@endpoint(
    bp,
    "GET",
    "/dashboard/downloader-status",
    scope=Scope.READ,
    summary="One entry for each download client, by its name",
    answer=dict[str, schemas.Downloader],
)
def downloaders() -> Response:
    """Return how each download client is."""
    return _answer("downloaders")


@endpoint(
    bp,
    "GET",
    "/dashboard/storage-stats",
    scope=Scope.READ,
    summary="The disks",
    answer=schemas.StorageStats,
)
def storage() -> Response:
    """Return the disks."""
    return _answer("storage")


@endpoint(
    bp,
    "GET",
    "/dashboard/music-stats",
    scope=Scope.READ,
    summary="The library of music",
    answer=schemas.MusicStats,
)
def music() -> Response:
    """Return the music's numbers."""
    return _answer("music")


@endpoint(
    bp,
    "GET",
    "/dashboard/system-resources-history",
    scope=Scope.READ,
    summary="The machine's numbers over time; a gap stays a gap",
    query=HistoryQuery,
    answer=dict[str, Any],
)
def history(query: HistoryQuery) -> Response:
    """Return stored points of the machine's numbers."""
    data = stored.query(query.hours, query.interval_minutes, query.series)
    ttl_s = get_settings().ttl_system_s
    meta = {
        "source": "system",
        "collected_at": isoformat(utcnow()),
        "age_s": 0.0,
        "ttl_s": ttl_s,
        "cache": "miss",
        "status": "ok",
    }
    return conditional(encode(data), meta)


@endpoint(
    bp,
    "GET",
    "/dashboard/history-series",
    scope=Scope.READ,
    summary="The series that have a past: of the whole, and of each part",
    answer=list[schemas.HistorySeries],
)
def history_series() -> Any:
    """Return the names that the history's `series` takes."""
    return stored.known_series()


def _answer(name: str) -> Response:
    snapshot, data, meta = dashboard_reading(name)
    return conditional(encode_once(name, snapshot, data), meta)
