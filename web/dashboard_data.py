"""The dashboard's views: which source each shows, how old it may be, and which fields it always has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from flask import Flask, current_app
from pydantic import BaseModel

from vabhub.collectors.base import Snapshot, SnapshotStatus, Source
from vabhub.db import reading
from vabhub.settings import Settings, get_settings
from web import schemas
from web.snapshots import Snapshots

Data = dict[str, Any]
Meta = dict[str, Any]
_PARTS = (Source.SYSTEM, Source.DOWNLOADS, Source.MEDIA, Source.MUSIC)


@dataclass(frozen=True, slots=True)
class View:
    """One answer of the dashboard."""

    source: Source
    ttl_s: Callable[[Settings], float]
    pick: Callable[[Data], Data]
    model: type[BaseModel]


def _all_of(model: type[BaseModel]) -> Callable[[Data], Data]:
    """Return the reading with every field of the contract, unknown ones as null."""
    return lambda data: {**_nulls(model), **data}


def _downloads(data: Data) -> Data:
    fields = {**_nulls(schemas.DownloadStats), **data}
    return {name: value for name, value in fields.items() if name not in {"downloaders", "collected_at"}}


def _storage(data: Data) -> Data:
    return {name: data.get(name) for name in schemas.StorageStats.model_fields}


VIEWS: dict[str, View] = {
    "dashboard": View(
        Source.DASHBOARD, lambda s: s.ttl_dashboard_s, _all_of(schemas.Dashboard), schemas.Dashboard
    ),
    "system": View(
        Source.SYSTEM, lambda s: s.ttl_system_s, _all_of(schemas.SystemStats), schemas.SystemStats
    ),
    "storage": View(Source.SYSTEM, lambda s: s.ttl_storage_s, _storage, schemas.StorageStats),
    "media": View(Source.MEDIA, lambda s: s.ttl_media_s, _all_of(schemas.MediaStats), schemas.MediaStats),
    "music": View(Source.MUSIC, lambda s: s.ttl_media_s, _all_of(schemas.MusicStats), schemas.MusicStats),
    "downloads": View(Source.DOWNLOADS, lambda s: s.ttl_downloads_s, _downloads, schemas.DownloadStats),
    "downloaders": View(
        Source.DOWNLOADS, lambda s: s.ttl_downloads_s, lambda d: d.get("downloaders") or {}, BaseModel
    ),
}


def init_app(app: Flask) -> None:
    """Give the application its readings."""
    collect: dict[str, Callable[[], Snapshot]] = {
        Source.SYSTEM: lambda: _system_collector().collect(),
        Source.DOWNLOADS: _collect_downloads,
        Source.MEDIA: _collect_media,
        Source.MUSIC: _collect_music,
    }
    made = Snapshots(collect=collect)
    collect[Source.DASHBOARD] = lambda: _build_dashboard(made, get_settings().ttl_dashboard_s)
    app.extensions["vabhub_snapshots"] = made


def snapshots() -> Snapshots:
    """Return this application's readings."""
    found: Snapshots = current_app.extensions["vabhub_snapshots"]
    return found


def dashboard_payload(name: str) -> tuple[Data, Meta]:
    """Return a view's data and meta: for REST and for the numbers that the page is rendered with."""
    _, data, meta = dashboard_reading(name)
    return data(), meta


def dashboard_reading(name: str) -> tuple[Snapshot, Callable[[], Data], Meta]:
    """Return a view's reading, how to pick its data out of it, and its meta."""
    view = VIEWS[name]
    served = snapshots().read(view.source, view.ttl_s(get_settings()))
    return served.snapshot, lambda: view.pick(served.snapshot.data or {}), served.meta()


def forget() -> None:
    """Drop what this process keeps between readings (tests)."""
    _system_collector.cache_clear()


def _nulls(model: type[BaseModel]) -> Data:
    return dict.fromkeys(model.model_fields)


@cache
def _system_collector() -> Any:
    # Kept: a percentage needs the sample before.
    from vabhub.collectors.system import SystemCollector

    return SystemCollector(get_settings().system_interval_s)


def _collect_downloads() -> Snapshot:
    from vabhub.collectors.downloads import read_all, snapshot_of
    from vabhub.collectors.services import configured

    return snapshot_of(read_all(configured(get_settings())))


def _collect_media() -> Snapshot:
    from vabhub.collectors.library import media_stats

    with reading() as session:
        return media_stats(session)


def _collect_music() -> Snapshot:
    from vabhub.collectors.library import music_stats

    with reading() as session:
        return music_stats(session)


def _build_dashboard(parts: Snapshots, ttl_s: float) -> Snapshot:
    from vabhub.collectors.dashboard import build

    # Read before the database is: a download client may take its time. A part may be half as old as the
    # whole, and the whole is as old as its oldest part, so that ages never add up.
    read = {str(source): parts.read(source, ttl_s / 2).snapshot for source in _PARTS}
    with reading() as session:
        built = build(session, read.get)
    times = [part.collected_at for part in read.values() if part.status == SnapshotStatus.OK]
    return replace(built, collected_at=min([*times, built.collected_at]))
