"""Find and sort in the merged list of downloads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class SortKey(StrEnum):
    """What a list can be sorted by."""

    NAME = "name"
    INSTANCE = "instance"
    STATE = "state"
    PROGRESS = "progress"
    SIZE = "size_bytes"
    DOWN = "download_bps"
    UP = "upload_bps"
    ETA = "eta_s"
    RATIO = "ratio"
    ADDED = "added_at"


@dataclass(frozen=True, slots=True)
class Filter:
    """Which downloads are wanted; `q` is any part of the name."""

    q: str | None = None
    instance: str | None = None
    state: str | None = None
    category: str | None = None

    def takes(self, item: Mapping[str, Any]) -> bool:
        """Tell whether this one is wanted."""
        for field in ("instance", "state", "category"):
            wanted = getattr(self, field)
            if wanted is not None and item[field] != wanted:
                return False
        return self.q is None or self.q.casefold() in item["name"].casefold()


def listed(
    items: Iterable[Mapping[str, Any]], wanted: Filter, key: SortKey, *, descending: bool
) -> list[Mapping[str, Any]]:
    """Return what is wanted, sorted; what is not known comes last in either direction."""
    found = sorted(filter(wanted.takes, items), key=lambda item: (item["instance"], item["id"]))
    known = [item for item in found if item[key] is not None]
    known.sort(key=lambda item: _comparable(item[key]), reverse=descending)
    return [*known, *(item for item in found if item[key] is None)]


def _comparable(value: Any) -> Any:
    return value.casefold() if isinstance(value, str) else value
