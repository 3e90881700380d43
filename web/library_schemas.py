"""What the library's REST answers and bodies look like."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from web.schemas import Out


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
