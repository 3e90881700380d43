"""Shapes that every download client is turned into, so that nothing above knows which client it was."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from enum import StrEnum
from typing import Any

from vabhub.collectors.downloads.faults import SourceFault


class DownloadState(StrEnum):
    """States of ours (docs: the API's `items[].state`); each client's own states are mapped onto them."""

    QUEUED = "queued"
    CHECKING = "checking"
    METADATA = "metadata"
    DOWNLOADING = "downloading"
    STALLED = "stalled"
    PAUSED = "paused"
    SEEDING = "seeding"
    COMPLETED = "completed"
    MOVING = "moving"
    ERROR = "error"
    UNKNOWN = "unknown"


class Action(StrEnum):
    """What a person can do with a download."""

    PAUSE = "pause"
    RESUME = "resume"
    DELETE = "delete"


class Capability(StrEnum):
    """What a client can do; `delete_files` is deleting together with what was downloaded."""

    PAUSE = "pause"
    RESUME = "resume"
    DELETE = "delete"
    DELETE_FILES = "delete_files"


class Connection(StrEnum):
    """How a download client answers: `offline` is not reached at all, `error` reached but of no use."""

    ONLINE = "online"
    OFFLINE = "offline"
    ERROR = "error"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class DownloadItem:
    """One download of one client. Sizes in bytes, speeds in bytes/s, `progress` 0–1; null is unknown."""

    id: str
    instance: str
    name: str
    state: DownloadState
    progress: float | None
    size_bytes: int | None
    left_bytes: int | None
    download_bps: int | None
    upload_bps: int | None
    eta_s: int | None
    ratio: float | None
    category: str | None
    added_at: str | None

    def to_json(self) -> dict[str, Any]:
        """Return the item as the API shows it."""
        # asdict copies deeply: 12 µs a download, where there may be thousands every two seconds.
        return {name: getattr(self, name) for name in _ITEM_FIELDS}


_ITEM_FIELDS = tuple(one.name for one in fields(DownloadItem))


@dataclass(frozen=True, slots=True)
class Transfer:
    """A client's own totals: speeds in bytes/s, data in bytes since it started."""

    version: str | None = None
    dl_info_speed: int | None = None
    up_info_speed: int | None = None
    dl_info_data: int | None = None
    up_info_data: int | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """What is known of one instance: the last good values, and the fault that keeps them from being new."""

    instance: str
    collected_at: datetime | None = None
    items: tuple[DownloadItem, ...] = ()
    transfer: Transfer = field(default_factory=Transfer)
    fault: SourceFault | None = None
    kind: str = ""
    capabilities: frozenset[Capability] = frozenset()
    mark: str = ""  # stands for the address: another client behind the same name has another

    @property
    def is_known(self) -> bool:
        """Tell whether the client was ever asked to the end."""
        return self.collected_at is not None or self.fault is not None

    @property
    def connection(self) -> Connection:
        """Return how the client answers now."""
        if self.fault is None:
            return Connection.UNKNOWN if self.collected_at is None else Connection.ONLINE
        return Connection.OFFLINE if self.fault.code.is_network else Connection.ERROR

    def status_json(self) -> dict[str, Any]:
        """Return the instance's entry of `/api/dashboard/downloader-status`."""
        entry: dict[str, Any] = {
            "connected": self.connection is Connection.ONLINE,
            "status": self.connection.value,
            **asdict(self.transfer),
            "kind": self.kind,
            "capabilities": sorted(self.capabilities),
        }
        if self.fault is not None:
            entry |= {"error": self.fault.text, "error_code": self.fault.code.value}
        return entry
