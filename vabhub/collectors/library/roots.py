"""The media roots: what the settings name, kept in the database with their counts."""

from __future__ import annotations

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from vabhub.clock import utcnow
from vabhub.collectors.library.walk import stored_path
from vabhub.models import LibraryFile, LibraryRoot
from vabhub.settings import MediaRoot, Settings

# No file has it, so the next scan reads the name again.
_READ_AGAIN = -1


def sync_roots(session: Session, settings: Settings) -> list[int]:
    """Make the table follow `VABHUB_MEDIA_ROOTS`; return the ids of the roots that are in it.

    A root that is no longer named is disabled and keeps what is known of it. One whose kind changed has
    its names read again by the next scan.
    """
    known = {root.path: root for root in session.scalars(select(LibraryRoot))}
    named = {stored_path(str(root.path)): root for root in settings.media_roots}
    for path, root in known.items():
        root.enabled = path in named
    kept = [_keep(session, known.get(path), path, root) for path, root in named.items()]
    session.flush()
    return [root.id for root in kept]


def _keep(session: Session, row: LibraryRoot | None, path: str, root: MediaRoot) -> LibraryRoot:
    if row is None:
        row = LibraryRoot(path=path, kind=root.kind, enabled=True, created_at=utcnow())
        session.add(row)
    elif row.kind != root.kind:
        row.kind = root.kind
        row.scanned_at = None
        session.execute(update(LibraryFile).where(LibraryFile.root_id == row.id).values(mtime_ns=_READ_AGAIN))
    return row
