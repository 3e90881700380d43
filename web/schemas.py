"""What REST answers look like, for `/api/openapi.json`; unknown numbers are null and never 0."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class Out(BaseModel):
    """An answer's object: more fields may come, so a client must not refuse them."""

    model_config = ConfigDict(extra="allow")


class PageQuery(BaseModel):
    """Which part of a list."""

    model_config = ConfigDict(extra="forbid")
    page: int = Field(1, ge=1, le=1_000_000)
    page_size: int = Field(20, ge=1, le=100)


class SystemStats(Out):
    """The machine. Percentages 0–100, `*_gb` in GiB, network in bytes since boot."""

    cpu_usage: float | None = None
    memory_usage: float | None = None
    disk_usage: float | None = None
    memory_total_gb: float | None = None
    memory_used_gb: float | None = None
    disk_total_gb: float | None = None
    disk_used_gb: float | None = None
    disk_free_gb: float | None = None
    network_sent: int | None = None
    network_recv: int | None = None
    per_core: list[float] | None = None
    load: list[float] | None = None
    swap: dict[str, Any] | None = None
    disks: list[dict[str, Any]] | None = None
    interfaces: list[dict[str, Any]] | None = None
    temperatures: list[dict[str, Any]] | None = None
    gpus: list[dict[str, Any]] | None = None
    uptime_s: float | None = None
    process: dict[str, Any] | None = None


class StorageStats(Out):
    """Disks only."""

    disk_usage: float | None = None
    disk_total_gb: float | None = None
    disk_used_gb: float | None = None
    disk_free_gb: float | None = None
    disks: list[dict[str, Any]] | None = None


class MediaStats(Out):
    """The library of films and series."""

    total_movies: int | None = None
    total_tv_shows: int | None = None
    total_anime: int | None = None
    total_episodes: int | None = None
    total_size_gb: float | None = None
    by_quality: dict[str, Any] | None = None
    by_root: list[dict[str, Any]] | None = None
    recently_added: list[dict[str, Any]] | None = None
    unparsed: int | None = None
    growth: Any = None


class DownloadStats(Out):
    """All download clients together; `*_bps` in bytes a second."""

    active: int | None = None
    paused: int | None = None
    completed: int | None = None
    failed: int | None = None
    total_speed_mbps: float | None = None
    total_size_gb: float | None = None
    downloaded_gb: float | None = None
    download_bps: float | None = None
    upload_bps: float | None = None
    items: list[dict[str, Any]] | None = None


class Downloader(Out):
    """One download client."""

    connected: bool | None = None
    status: Literal["online", "offline", "error", "unknown"] = "unknown"
    error: str | None = None
    version: str | None = None
    dl_info_speed: int | None = None
    up_info_speed: int | None = None
    dl_info_data: int | None = None
    up_info_data: int | None = None


class MusicStats(Out):
    """The library of music."""

    total_tracks: int | None = None
    total_albums: int | None = None
    total_artists: int | None = None
    total_playlists: int | None = None
    total_size_gb: float | None = None


class Dashboard(Out):
    """All of it in one answer."""

    system_stats: dict[str, Any] | None = None
    media_stats: dict[str, Any] | None = None
    download_stats: dict[str, Any] | None = None
    downloader_status: dict[str, Any] | None = None
    music_stats: dict[str, Any] | None = None
    active_downloads: Any = None
    active_subscriptions: Any = None
    recent_events: list[dict[str, Any]] | None = None


class HistoryQuery(BaseModel):
    """How far back, and how coarse."""

    model_config = ConfigDict(extra="forbid")
    hours: int = Field(24, ge=1, le=8760)
    interval_minutes: int = Field(5, ge=1, le=1440)
    series: list[Annotated[str, Field(max_length=200)]] = Field(
        default_factory=list,
        max_length=32,
        description="Parts to add, by names of `/dashboard/history-series`",
    )


class HistorySeries(Out):
    """A number that is followed; `kind` and `part` are null for one of the whole."""

    name: str
    kind: str | None
    part: str | None
    unit: str
    last_at: datetime


class AlertRuleOut(Out):
    """What a number is held to; `channels` empty: the inbox, and the channels that take alerts."""

    id: int
    name: str | None
    metric: str
    subject: str | None
    threshold: float
    clear_at: float
    unit: str
    for_minutes: int
    clear_minutes: int
    priority: str
    channels: list[str]
    enabled: bool
    created_at: datetime
    updated_at: datetime


class Paged(Out):
    """One part of a list; `total` counts all that match, or says how many there are at least."""

    items: list[dict[str, Any]]
    total: int
    total_is_exact: bool
    page: int
    page_size: int
    total_pages: int


class DeliveryReceipt(Out):
    """One channel of a notification that was accepted."""

    id: int
    channel: str
    status: str


class NotificationReceipt(Out):
    """What was stored for a notification."""

    id: int
    status: str
    deliveries: list[DeliveryReceipt]


class NotificationOut(Out):
    """One notification."""

    id: int
    title: str
    message: str
    type: str
    priority: str
    status: str


class Count(Out):
    """How many it concerned."""

    count: int


class Backlog(Out):
    """Open deliveries at `as_of`: all by state, and by channel with why one holds them back."""

    as_of: datetime
    states: dict[str, int]
    channels: list[dict[str, Any]]


class ChannelOut(Out):
    """One channel; its secrets read back as "***"."""

    name: str
    kind: str
    enabled: bool
    settings: dict[str, Any]


class TemplateOut(Out):
    """One template; null stands for any channel and any language."""

    id: int
    event: str
    channel: str | None
    language: Literal["zh", "en"] | None
    subject: str | None
    body: str
    markdown: str | None
    last_error: str | None


class EventOut(Out):
    """What a template can be written for, an example of each variable, and the words that are shipped."""

    event: str
    builtin: bool
    variables: dict[str, Any]
    defaults: dict[str, dict[str, str | None] | None]


class ExportOut(Out):
    """The file, what stands for its secrets, and the channels that are not in it."""

    yaml: str
    secrets: Literal["masked", "sealed", "plain"]
    left_out: list[str]


class ImportOut(Out):
    """What the file changes, part by part: create, update, same."""

    dry_run: bool
    changes: list[dict[str, Any]]


class PreviewOut(Out):
    """The texts as they would be sent; null where `errors` says why not."""

    subject: str | None
    body: str | None
    markdown: str | None
    errors: list[dict[str, Any]]


class TokenOut(Out):
    """One token, without its secret."""

    id: int
    name: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None


class NewTokenOut(TokenOut):
    """A new token with its secret, shown this once."""

    token: str


class Me(Out):
    """Who is calling. `csrf_token` goes into X-CSRF-Token on writes with the cookie."""

    kind: Literal["user", "token"]
    username: str
    scopes: list[str]
    csrf_token: str | None = None
