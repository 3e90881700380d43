"""The rows of files: what a name and its correction say, and when the file came."""

from __future__ import annotations

import os
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from vabhub.clock import utcnow
from vabhub.collectors.library.names import ParsedName, parse_name
from vabhub.collectors.library.tags import with_tags
from vabhub.collectors.library.walk import FoundFile, disk_path
from vabhub.models import LibraryRoot


def file_row(root: LibraryRoot, file: FoundFile, override: dict[str, Any] | None) -> dict[str, Any]:
    """Return the columns of a file: a person's word first, then its tags, then its name."""
    name = parse_name(file.path, root.kind)
    if root.kind == "music":
        name = with_tags(name, os.path.join(disk_path(root.path), disk_path(file.path)))  # noqa: PTH118
    row = {"path": file.path, "size_bytes": file.size_bytes, "mtime_ns": file.mtime_ns}
    return row | name_columns(name) | (override or {})


def name_columns(name: ParsedName) -> dict[str, Any]:
    """Return the columns that come from a name."""
    return asdict(name) | {"kind": name.kind.value, "detail": name.detail or None}


def added_at(mtime_ns: int, *, first: bool) -> datetime:
    """Return when a file came: now, but at a root's first scan, which finds everything, its own date."""
    now = utcnow()
    if not first or mtime_ns <= 0:
        return now
    try:
        return min(now, datetime.fromtimestamp(mtime_ns / 1e9, UTC))
    except (OverflowError, ValueError, OSError):
        return now
