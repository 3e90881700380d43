"""What a person says a file is: stronger than its name, and kept over every scan."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from vabhub.clock import utcnow
from vabhub.collectors.library.file_rows import name_columns
from vabhub.collectors.library.files import file_of, file_view
from vabhub.collectors.library.folders import READ_AGAIN
from vabhub.collectors.library.names import parse_name
from vabhub.models import LibraryFile, LibraryFolder, LibraryOverride


def set_override(session: Session, file_id: int, fields: dict[str, Any]) -> dict[str, Any]:
    """Say what a file is (`kind`, `title`, `year`, `season`, `episode`) and return it; raises NotFound."""
    file, root = file_of(session, file_id)
    columns = {"year": None, "season": None, "episode": None, **fields}
    session.merge(
        LibraryOverride(root_id=root.id, path=file.path, fields={**columns, "detail": None}, set_at=utcnow())
    )
    _change(session, file_id, {**columns, "detail": None})
    return file_view(session, file_id)


def remove_override(session: Session, file_id: int) -> dict[str, Any]:
    """Believe the name again and return the file; raises NotFound. Tags are read by the next scan."""
    file, root = file_of(session, file_id)
    mine = (LibraryOverride.root_id == root.id, LibraryOverride.path == file.path)
    session.execute(delete(LibraryOverride).where(*mine))
    _change(session, file_id, name_columns(parse_name(file.path, root.kind)) | {"mtime_ns": READ_AGAIN})
    folder = (LibraryFolder.root_id == root.id, LibraryFolder.path == file.path.rpartition("/")[0])
    session.execute(update(LibraryFolder).where(*folder).values(mtime_ns=READ_AGAIN))
    return file_view(session, file_id)


def overrides_mark(session: Session) -> Hashable:
    """Return what is different after every change to the overrides."""
    return tuple(session.execute(select(func.count(), func.max(LibraryOverride.set_at))).one())


def _change(session: Session, file_id: int, columns: dict[str, Any]) -> None:
    session.execute(
        update(LibraryFile)
        .where(LibraryFile.id == file_id)
        .values(**columns)
        .execution_options(synchronize_session=False)
    )
    session.expire_all()
