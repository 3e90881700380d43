"""What is remembered of a root's folders, so that a scan reads only those that have changed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy import delete, insert, select, update

from vabhub.db import reading, transaction
from vabhub.models import LibraryFolder

# No folder and no file has it as its mtime.
READ_AGAIN = -1
_BATCH = 500


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder as a walk left it, paths in stored form; the root's own path is empty."""

    path: str
    parent: str | None
    mtime_ns: int
    is_link: bool
    is_mount: bool
    poster: str | None = None


@dataclass(slots=True)
class Memory:
    """The folders by path, and those inside each."""

    folders: dict[str, Folder] = field(default_factory=dict)
    children: dict[str, list[Folder]] = field(default_factory=dict)


def load_memory(root_id: int, *, trust: bool) -> Memory:
    """Return what the last scan left; without `trust` every folder is to be read again."""
    columns = (
        LibraryFolder.path,
        LibraryFolder.parent,
        LibraryFolder.mtime_ns,
        LibraryFolder.is_link,
        LibraryFolder.is_mount,
        LibraryFolder.poster,
    )
    memory = Memory()
    with reading() as session:
        rows = session.execute(select(*columns).where(LibraryFolder.root_id == root_id))
        for path, parent, mtime_ns, is_link, is_mount, poster in rows:
            folder = Folder(path, parent, mtime_ns if trust else READ_AGAIN, is_link, is_mount, poster)
            memory.folders[path] = folder
            if parent is not None:
                memory.children.setdefault(parent, []).append(folder)
    return memory


def save_memory(root_id: int, now: dict[str, Folder]) -> None:
    """Make the table follow a walk, in short transactions."""
    ids, before = _stored(root_id)
    gone = [ids[path] for path in ids.keys() - now.keys()]
    new = [asdict(now[path]) | {"root_id": root_id} for path in now.keys() - ids.keys()]
    changed = [
        asdict(now[path]) | {"id": ids[path]} for path in ids.keys() & now.keys() if now[path] != before[path]
    ]
    for part in _parts(gone):
        with transaction() as session:
            session.execute(delete(LibraryFolder).where(LibraryFolder.id.in_(part)))
    for part in _parts(new):
        with transaction() as session:
            session.execute(insert(LibraryFolder), part)
    for part in _parts(changed):
        with transaction() as session:
            session.execute(update(LibraryFolder), part)


def _stored(root_id: int) -> tuple[dict[str, int], dict[str, Folder]]:
    before = load_memory(root_id, trust=True).folders
    with reading() as session:
        rows = session.execute(
            select(LibraryFolder.path, LibraryFolder.id).where(LibraryFolder.root_id == root_id)
        )
        return {row.path: row.id for row in rows}, before


def _parts(items: list[Any]) -> Iterator[list[Any]]:
    return (items[start : start + _BATCH] for start in range(0, len(items), _BATCH))
