"""Scan one root: walk it, read the names that are new or changed, forget the files that are gone."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import delete, insert, select, update

from vabhub.clock import utcnow
from vabhub.collectors.library.names import ParsedName, parse_name
from vabhub.collectors.library.walk import Found, FoundFile, disk_path, walk
from vabhub.db import reading, transaction
from vabhub.errors import NotFound, VabHubError
from vabhub.models import LibraryFile, LibraryRoot

# A batch is one short transaction, so that a delivery never waits long for SQLite's one writer.
BATCH = 200

T = TypeVar("T")
Progress = Callable[[int, int | None], None]


class RootGone(VabHubError):
    """The root cannot be read, or is empty where files were: its counts stay as they are."""

    error_code = "ROOT_GONE"


@dataclass(frozen=True, slots=True)
class ScanResult:
    """What a scan did. `parsed` counts the names that had to be read; `unreadable` folders and files."""

    total: int = 0
    parsed: int = 0
    added: int = 0
    changed: int = 0
    removed: int = 0
    unreadable: int = 0


@dataclass(frozen=True, slots=True)
class _Known:
    id: int
    size_bytes: int
    mtime_ns: int


def scan(root_id: int, progress: Progress) -> ScanResult:
    """Bring the table up to date with one root and return what changed.

    `progress(done, total)` hears the files dealt with; `total` is None until the walk is done. Whatever it
    raises ends the scan; what was written until then is right and is not done again. Raises RootGone, and
    NotFound for an id that does not exist.
    """
    root, others = _roots(root_id)
    known = _known_files(root_id)
    found = _walk(root, others, progress, had_files=bool(known))
    todo = [file for file in found.files if not _is_same(known.get(file.path), file)]
    result = ScanResult(len(found.files), unreadable=len(found.unreadable))
    done = len(found.files) - len(todo)
    progress(done, len(found.files))
    first = root.scanned_at is None and not known
    for batch in _batches(todo):
        result = _store(root, batch, known, result, first=first)
        done += len(batch)
        progress(done, len(found.files))
    return replace(result, removed=_remove_gone(known, found))


def _roots(root_id: int) -> tuple[LibraryRoot, list[str]]:
    """Return the root, and the folders of the roots inside it, which are scanned on their own."""
    with reading() as session:
        root = session.get(LibraryRoot, root_id)
        if root is None:
            raise NotFound(f"There is no media root {root_id}.")
        session.expunge(root)
        paths = session.scalars(
            select(LibraryRoot.path).where(LibraryRoot.enabled, LibraryRoot.id != root_id)
        )
        return root, [os.path.realpath(disk_path(path)) for path in paths]


def _known_files(root_id: int) -> dict[str, _Known]:
    columns = (LibraryFile.path, LibraryFile.id, LibraryFile.size_bytes, LibraryFile.mtime_ns)
    with reading() as session:
        rows = session.execute(select(*columns).where(LibraryFile.root_id == root_id))
        return {path: _Known(*rest) for path, *rest in rows}


def _walk(root: LibraryRoot, others: list[str], progress: Progress, *, had_files: bool) -> Found:
    try:
        found = walk(
            disk_path(root.path), root.kind, skip=others, on_folder=lambda count: progress(count, None)
        )
    except OSError as error:
        raise RootGone(f"{root.path} cannot be read: {error.strerror or error}.") from error
    if found.is_empty and had_files:
        # What is left when a disk or share is not mounted.
        raise RootGone(f"{root.path} is empty, but held files before. Is the disk or share mounted?")
    return found


def _is_same(known: _Known | None, file: FoundFile) -> bool:
    return known is not None and known.size_bytes == file.size_bytes and known.mtime_ns == file.mtime_ns


def _store(
    root: LibraryRoot, batch: list[FoundFile], known: dict[str, _Known], result: ScanResult, *, first: bool
) -> ScanResult:
    """Read the names of a batch, with no transaction open, and write them in one."""
    rows = [_row(file, parse_name(file.path, root.kind)) for file in batch]
    new = [
        row | {"root_id": root.id, "added_at": _added_at(row["mtime_ns"], first=first)}
        for row in rows
        if row["path"] not in known
    ]
    changed = [row | {"id": known[row["path"]].id} for row in rows if row["path"] in known]
    with transaction() as session:
        if new:
            session.execute(insert(LibraryFile), new)
        if changed:
            session.execute(update(LibraryFile), changed)
    return replace(
        result,
        parsed=result.parsed + len(rows),
        added=result.added + len(new),
        changed=result.changed + len(changed),
    )


def _row(file: FoundFile, name: ParsedName) -> dict[str, Any]:
    return {
        "path": file.path,
        "size_bytes": file.size_bytes,
        "mtime_ns": file.mtime_ns,
        "kind": name.kind.value,
        "title": name.title,
        "year": name.year,
        "season": name.season,
        "episode": name.episode,
        "quality": name.quality,
        "artist": name.artist,
        "album": name.album,
        "detail": name.detail or None,
    }


def _added_at(mtime_ns: int, *, first: bool) -> datetime:
    """Return when a file came: now, but at a root's first scan, which finds everything, its own date."""
    now = utcnow()
    if not first or mtime_ns <= 0:
        return now
    try:
        return min(now, datetime.fromtimestamp(mtime_ns / 1e9, UTC))
    except (OverflowError, ValueError, OSError):
        return now


def _remove_gone(known: dict[str, _Known], found: Found) -> int:
    """Delete the rows of files that are gone; what lies below an unreadable folder is not known to be."""
    seen = {file.path for file in found.files}
    hidden = tuple(f"{path}/" for path in found.unreadable)
    gone = [
        row.id
        for path, row in known.items()
        if path not in seen and path not in found.unreadable and not path.startswith(hidden)
    ]
    for ids in _batches(gone):
        with transaction() as session:
            session.execute(delete(LibraryFile).where(LibraryFile.id.in_(ids)))
    return len(gone)


def _batches(items: Iterable[T]) -> Iterator[list[T]]:
    iterator = iter(items)
    while batch := list(islice(iterator, BATCH)):
        yield batch
