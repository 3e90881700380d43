"""What every source of numbers looks like: a collector, and the snapshot it hands over."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from vabhub.clock import isoformat, parse_iso


class SnapshotStatus(StrEnum):
    """How far the numbers of a snapshot can be trusted."""

    OK = "ok"
    STALE = "stale"
    ERROR = "error"
    UNCONFIGURED = "unconfigured"


class Source(StrEnum):
    """Names under which the last snapshots are kept."""

    SYSTEM = "system"
    DOWNLOADS = "downloads"
    MEDIA = "media"
    MUSIC = "music"
    DASHBOARD = "dashboard"
    API_PERFORMANCE = "api_performance"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One reading of a source; an unknown number in `data` is None, never 0.

    `collected_at` is when `data` was read, so a stale snapshot keeps the time of its last good reading.
    """

    source: str
    collected_at: datetime
    status: str = SnapshotStatus.OK
    error_code: str | None = None
    error: str | None = None
    data: dict[str, Any] | None = None
    sources: dict[str, Any] | None = None  # a composed reading says where each of its parts comes from

    def meta(self) -> dict[str, Any]:
        """Return where the numbers come from, as the envelope's `meta` carries it."""
        meta: dict[str, Any] = {
            "source": self.source,
            "collected_at": isoformat(self.collected_at),
            "status": str(self.status),
        }
        if self.error is not None:
            meta |= {"error": self.error, "error_code": self.error_code}
        if self.sources is not None:
            meta["sources"] = self.sources
        return meta

    def to_json(self) -> str:
        """Return the snapshot as JSON text; `from_json` reads it back."""
        fields = self.meta() | {"error": self.error, "error_code": self.error_code, "data": self.data}
        return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str | bytes) -> Snapshot:
        """Read what `to_json` wrote; raises ValueError, KeyError or TypeError for anything else."""
        fields = json.loads(text)
        return cls(
            source=fields["source"],
            collected_at=parse_iso(fields["collected_at"]),
            status=SnapshotStatus(fields["status"]),
            error_code=fields["error_code"],
            error=fields["error"],
            data=fields["data"],
            sources=fields.get("sources"),
        )

    def as_stale(self, error_code: str, error: str) -> Snapshot:
        """Return the same numbers, marked as the last good ones before `error`."""
        return replace(self, status=SnapshotStatus.STALE, error_code=error_code, error=error)


class Collector(Protocol):
    """A source of numbers. `collect` answers every outcome with a snapshot; it raises for our own faults."""

    @property
    def source(self) -> str: ...

    @property
    def interval_s(self) -> float: ...

    def collect(self) -> Snapshot: ...
