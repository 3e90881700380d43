"""The files of the library as lists: those nobody could read, and works that lie there several times."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, null, select
from sqlalchemy.orm import Session

from vabhub.clock import isoformat
from vabhub.collectors.library.names import FileKind
from vabhub.errors import NotFound
from vabhub.models import LibraryFile, LibraryOverride, LibraryRoot

_DISC = re.compile(r"/(?:BDMV|VIDEO_TS)/.*$", re.IGNORECASE)
_PART = re.compile(r"[\s._\-(\[]*(?:cd|dvd|disc|disk|part|pt)[\s._-]?\d{1,2}[)\]]?$", re.IGNORECASE)


def file_of(session: Session, file_id: int) -> tuple[LibraryFile, LibraryRoot]:
    """Return a file's row with its root's; raises NotFound."""
    file = session.get(LibraryFile, file_id)
    root = session.get(LibraryRoot, file.root_id) if file else None
    if file is None or root is None or not root.enabled:
        raise NotFound(f"There is no file {file_id}.")
    return file, root


def file_view(session: Session, file_id: int) -> dict[str, Any]:
    """Return one file as the API shows it; raises NotFound."""
    file, root = file_of(session, file_id)
    override = session.get(LibraryOverride, (root.id, file.path))
    return _view(file, root, overridden=override is not None)


def unparsed(session: Session, *, page: int, page_size: int) -> dict[str, Any]:
    """Return a page of what nobody could read, and of what a person has corrected (`overridden`)."""
    corrected = and_(LibraryOverride.root_id == LibraryFile.root_id, LibraryOverride.path == LibraryFile.path)
    wanted = (
        select(LibraryFile, LibraryRoot, LibraryOverride.path.is_not(None))
        .join(LibraryRoot, LibraryRoot.id == LibraryFile.root_id)
        .outerjoin(LibraryOverride, corrected)
        .where(
            LibraryRoot.enabled,
            (LibraryFile.kind == FileKind.UNPARSED.value) | LibraryOverride.path.is_not(None),
        )
    )
    total = session.scalar(select(func.count()).select_from(wanted.subquery())) or 0
    order = (LibraryOverride.path.is_not(None), LibraryFile.root_id, LibraryFile.path)
    rows = session.execute(wanted.order_by(*order).limit(page_size).offset((page - 1) * page_size))
    return _page(
        [_view(file, root, overridden=bool(own)) for file, root, own in rows], total, page, page_size
    )


def duplicates(session: Session, *, page: int, page_size: int) -> dict[str, Any]:
    """Return a page of works, or episodes, that lie there more than once, the most bytes first.

    Each: `{kind, title, year, season, episode, size_bytes, files: […]}`. The parts of one film and the
    files of one copied disc are one copy.
    """
    found = [_work(files) for files in _candidates(session) if len({_copy_of(file) for file, _ in files}) > 1]
    found.sort(key=lambda work: (-work["size_bytes"], work["title"]))
    start = (page - 1) * page_size
    return _page(found[start : start + page_size], len(found), page, page_size)


def _candidates(session: Session) -> Iterable[list[tuple[LibraryFile, LibraryRoot]]]:
    year: ColumnElement[Any] = case(
        (LibraryFile.kind == FileKind.MOVIE.value, LibraryFile.year), else_=null()
    )
    title = func.lower(LibraryFile.title)
    numbered = LibraryFile.kind.in_(
        (FileKind.EPISODE.value, FileKind.ANIME.value)
    ) & LibraryFile.episode.is_not(None)
    same = (LibraryFile.kind, title, func.coalesce(year, 0), LibraryFile.season, LibraryFile.episode)
    copies = func.count().over(partition_by=same).label("copies")
    inner = (
        select(LibraryFile.id, copies)
        .join(LibraryRoot, LibraryRoot.id == LibraryFile.root_id)
        .where(LibraryRoot.enabled, (LibraryFile.kind == FileKind.MOVIE.value) | numbered)
    ).subquery()
    rows = session.execute(
        select(LibraryFile, LibraryRoot)
        .join(inner, inner.c.id == LibraryFile.id)
        .join(LibraryRoot, LibraryRoot.id == LibraryFile.root_id)
        .where(inner.c.copies > 1)
        .order_by(LibraryFile.path)
    )
    groups: dict[tuple[Any, ...], list[tuple[LibraryFile, LibraryRoot]]] = defaultdict(list)
    for file, root in rows:
        of_year = file.year if file.kind == FileKind.MOVIE else None
        groups[file.kind, (file.title or "").lower(), of_year, file.season, file.episode].append((file, root))
    return groups.values()


def _copy_of(file: LibraryFile) -> tuple[int, str]:
    path = _DISC.sub("", file.path)
    return file.root_id, _PART.sub("", path.rpartition(".")[0] if path == file.path else path)


def _work(files: list[tuple[LibraryFile, LibraryRoot]]) -> dict[str, Any]:
    first = files[0][0]
    return {
        "kind": first.kind,
        "title": first.title or "",
        "year": first.year if first.kind == FileKind.MOVIE else None,
        "season": first.season,
        "episode": first.episode,
        "size_bytes": sum(file.size_bytes for file, _ in files),
        "files": [_view(file, root, overridden=False) for file, root in files],
    }


def _view(file: LibraryFile, root: LibraryRoot, *, overridden: bool) -> dict[str, Any]:
    return {
        "id": file.id,
        "root": root.path,
        "root_kind": root.kind,
        "path": file.path,
        "kind": file.kind,
        "title": file.title,
        "year": file.year,
        "season": file.season,
        "episode": file.episode,
        "quality": file.quality,
        "size_bytes": file.size_bytes,
        "added_at": isoformat(file.added_at),
        "overridden": overridden,
    }


def _page(items: list[dict[str, Any]], total: int, page: int, page_size: int) -> dict[str, Any]:
    pages = -(-total // page_size)
    return {"items": items, "total": total, "page": page, "page_size": page_size, "total_pages": pages}
