"""The media roots: what the settings name, kept in the database with their counts."""

from __future__ import annotations

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from vabhub.clock import utcnow
from vabhub.collectors.library.folders import READ_AGAIN
from vabhub.collectors.library.names import RULES
from vabhub.collectors.library.walk import stored_path
from vabhub.models import LibraryFile, LibraryFolder, LibraryRoot
from vabhub.settings import MediaRoot, Settings


def sync_roots(session: Session, settings: Settings) -> list[int]:
    """Make the table follow `VABHUB_MEDIA_ROOTS`; return the ids of the roots that are in it.

    A root that is no longer named is disabled and keeps what is known of it. One whose kind changed, or
    whose names were read by older rules, has them read again by the next scan.
    """
    known = {root.path: root for root in session.scalars(select(LibraryRoot))}
    named = {stored_path(str(root.path)): root for root in settings.media_roots}
    if {path for path, root in known.items() if root.enabled} != named.keys():
        # A folder that becomes a root, or is none any more, changes what another root holds.
        session.execute(delete(LibraryFolder))
    for path, root in known.items():
        root.enabled = path in named
    kept = [_keep(session, known.get(path), path, root) for path, root in named.items()]
    session.flush()
    return [root.id for root in kept]


def _keep(session: Session, row: LibraryRoot | None, path: str, root: MediaRoot) -> LibraryRoot:
    if row is None:
        row = LibraryRoot(path=path, kind=root.kind, enabled=True, created_at=utcnow(), rules=RULES)
        session.add(row)
    elif row.kind != root.kind:
        row.kind, row.scanned_at = root.kind, None
        _read_names_again(session, row)
    elif row.rules != RULES:
        # The counts of the old rules stand until the next scan has read the names by the new ones.
        _read_names_again(session, row)
    return row


def _read_names_again(session: Session, row: LibraryRoot) -> None:
    row.rules = RULES
    session.execute(delete(LibraryFolder).where(LibraryFolder.root_id == row.id))
    session.execute(update(LibraryFile).where(LibraryFile.root_id == row.id).values(mtime_ns=READ_AGAIN))
