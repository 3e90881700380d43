"""Scan one root: walk what changed, read new and changed names, forget the files that are gone."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import delete, insert, select, update

from vabhub.clock import utcnow
from vabhub.collectors.library.file_rows import added_at, file_row
from vabhub.collectors.library.folders import Memory, load_memory, save_memory
from vabhub.collectors.library.walk import Found, FoundFile, disk_path, walk
from vabhub.db import reading, transaction
from vabhub.errors import NotFound, VabHubError
from vabhub.models import LibraryFile, LibraryOverride, LibraryRoot

# A batch is one short transaction, so that a delivery never waits long for SQLite's one writer.
BATCH = 200
# A file that is rewritten in place leaves its folder's mtime as it was, and some network shares keep none.
FULL_AFTER = timedelta(hours=24)

T = TypeVar("T")
Progress = Callable[[int, int | None], None]


class RootGone(VabHubError):
    """The root cannot be read, or shows nothing where files were: its counts stay as they are."""

    error_code = "ROOT_GONE"


@dataclass(frozen=True, slots=True)
class ScanResult:
    """What a scan did. `parsed` counts the names that had to be read; `unreadable` folders and files.

    `kept_folders` had not changed and were not read; `full` says that none was trusted to be unchanged.
    """

    total: int = 0
    parsed: int = 0
    added: int = 0
    changed: int = 0
    removed: int = 0
    unreadable: int = 0
    kept_folders: int = 0
    full: bool = False


@dataclass(frozen=True, slots=True)
class _Known:
    id: int
    size_bytes: int
    mtime_ns: int


def scan(root_id: int, progress: Progress, *, full: bool = False, accept_missing: bool = False) -> ScanResult:
    """Bring the table up to date with one root and return what changed.

    `progress(done, total)` hears the files dealt with; `total` is None until the walk is done. Whatever it
    raises ends the scan; what was written until then is right and is not done again. `full` looks at every
    file, as the first scan of a day does; `accept_missing` believes a root that shows nothing any more.
    Raises RootGone, and NotFound for an id that does not exist.
    """
    root, others = _roots(root_id)
    known = _known_files(root_id)
    full = full or root.full_scan_at is None or root.full_scan_at < utcnow() - FULL_AFTER
    memory = load_memory(root_id, trust=not full)
    found = _walk(root, others, memory, progress)
    kept = {path for path in known if _folder_of(path) in found.kept} if found.kept else set()
    if known and not accept_missing:
        _check_is_there(root, known, memory, found, kept)
    todo = [file for file in found.files if not _is_same(known.get(file.path), file)]
    total = len(found.files) + len(kept)
    result = ScanResult(total, unreadable=len(found.unreadable), kept_folders=len(found.kept), full=full)
    # Until a scan was whole, files are dated by themselves: a cancelled first scan found nothing new.
    first = root.scanned_at is None and not memory.folders
    result = _store_all(root, todo, known, result, progress, first=first)
    result = replace(result, removed=_remove_gone(known, found, kept))
    # Last: a scan that ends early leaves the folders to be read again.
    save_memory(root_id, found.folders)
    return result


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


def _walk(root: LibraryRoot, others: list[str], memory: Memory, progress: Progress) -> Found:
    def on_folder(count: int) -> None:
        progress(count, None)

    try:
        return walk(disk_path(root.path), root.kind, skip=others, memory=memory, on_folder=on_folder)
    except OSError as error:
        raise RootGone(f"{root.path} cannot be read: {error.strerror or error}.") from error


def _check_is_there(
    root: LibraryRoot, known: dict[str, _Known], memory: Memory, found: Found, kept: set[str]
) -> None:
    """Raise RootGone for what is left when a disk or share is not mounted; docs/adr has the rule."""
    if kept:
        return
    if not found.files and not found.unreadable:
        raise RootGone(f"{root.path} is empty, but held files before. Is the disk or share mounted?")
    before, now = memory.folders.get(""), found.folders[""]
    was_mounted = before is not None and before.is_mount and not now.is_mount
    if was_mounted and not any(file.path in known for file in found.files):
        raise RootGone(f"{root.path} was a mounted disk and holds other files now. Is it mounted?")


def _folder_of(path: str) -> str:
    return path.rpartition("/")[0]


def _is_same(known: _Known | None, file: FoundFile) -> bool:
    return known is not None and known.size_bytes == file.size_bytes and known.mtime_ns == file.mtime_ns


def _store_all(
    root: LibraryRoot,
    todo: list[FoundFile],
    known: dict[str, _Known],
    result: ScanResult,
    progress: Progress,
    *,
    first: bool,
) -> ScanResult:
    overrides = _overrides(root.id)
    done = result.total - len(todo)
    progress(done, result.total)
    for batch in _batches(todo):
        rows = [file_row(root, file, overrides.get(file.path)) for file in batch]
        result = _store(root.id, rows, known, result, first=first)
        done += len(batch)
        progress(done, result.total)
    return result


def _overrides(root_id: int) -> dict[str, dict[str, Any]]:
    with reading() as session:
        rows = session.execute(
            select(LibraryOverride.path, LibraryOverride.fields).where(LibraryOverride.root_id == root_id)
        )
        return {row.path: row.fields for row in rows}


def _store(
    root_id: int, rows: list[dict[str, Any]], known: dict[str, _Known], result: ScanResult, *, first: bool
) -> ScanResult:
    new = [
        row | {"root_id": root_id, "added_at": added_at(row["mtime_ns"], first=first)}
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


def _remove_gone(known: dict[str, _Known], found: Found, kept: set[str]) -> int:
    """Delete the rows of files that are gone; what lies below an unreadable folder is not known to be."""
    seen = {file.path for file in found.files} | kept
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
