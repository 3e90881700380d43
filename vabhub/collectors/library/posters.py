"""Pictures that lie beside the media: found by the scans, read within their root only."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from vabhub.collectors.library.files import file_of
from vabhub.collectors.library.walk import disk_path
from vabhub.db import reading
from vabhub.errors import NotFound
from vabhub.models import LibraryFile, LibraryFolder

MOST_BYTES = 8 * 1024**2
_HEAD_BYTES = 12


@dataclass(frozen=True, slots=True)
class Poster:
    """A picture of at most MOST_BYTES; `version` changes with the file."""

    content: bytes
    content_type: str
    version: str


def poster_folder(session: Session, file: LibraryFile) -> LibraryFolder | None:
    """Return the nearest folder above a file that has a poster; the root's own picture is nobody's."""
    above = _folders_above(file.path)
    if not above:
        return None
    rows = session.scalars(
        select(LibraryFolder).where(
            LibraryFolder.root_id == file.root_id,
            LibraryFolder.path.in_(above),
            LibraryFolder.poster.is_not(None),
        )
    )
    return max(rows, key=lambda folder: len(folder.path), default=None)


def read_poster(file_id: int) -> Poster:
    """Return a file's poster.

    Raises NotFound when there is none, when a link leads out of the root, when it is larger than
    MOST_BYTES, and when its first bytes are not those of a JPEG, PNG or WebP, whatever it is called.
    """
    with reading() as session:
        file, root = file_of(session, file_id)
        folder = poster_folder(session, file)
        parts = None if folder is None else (root.path, folder.path, folder.poster or "")
    if parts is None:
        raise NotFound(f"File {file_id} has no poster.")
    try:
        return _read(*(disk_path(part) for part in parts))
    except OSError as error:
        raise NotFound(f"The poster of file {file_id} cannot be read.") from error


def _folders_above(path: str) -> list[str]:
    parts = path.split("/")[:-1]
    return ["/".join(parts[:count]) for count in range(len(parts), 0, -1)]


def _read(root: str, folder: str, name: str) -> Poster:
    real_root = os.path.realpath(root)
    real = os.path.realpath(os.path.join(real_root, folder, name))  # noqa: PTH118
    if os.path.commonpath([real_root, real]) != real_root:
        raise NotFound("The poster lies outside its root.")
    # All links are resolved: one that was put there since is refused. A pipe must not be waited for.
    handle = os.open(real, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as file:
        info = os.fstat(handle)
        if not stat.S_ISREG(info.st_mode) or info.st_size > MOST_BYTES:
            raise NotFound("The poster is no file of a picture's size.")
        content = file.read(MOST_BYTES + 1)
    kind = _content_type(content[:_HEAD_BYTES])
    if kind is None or len(content) > MOST_BYTES:
        raise NotFound("The poster is not a picture.")
    return Poster(content, kind, f"{info.st_ino:x}-{info.st_size:x}-{info.st_mtime_ns:x}")


def _content_type(head: bytes) -> str | None:
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    return "image/webp" if head[:4] == b"RIFF" and head[8:12] == b"WEBP" else None
