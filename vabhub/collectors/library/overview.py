"""Each root with its counts and its newest scan, for the library's page."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from vabhub.collectors.library.scans import current_scans
from vabhub.collectors.library.stats import media_stats, music_stats
from vabhub.models import LibraryRoot


def roots_view(session: Session) -> list[dict[str, Any]]:
    """Return the enabled roots as `by_root` of the counts has them, each with its newest `scan` or None.

    `watch` is `{folders, watched, reason}`: how many of its folders are watched for changes, and why not
    all (limit, system_limit, unreadable, unsupported); None until the scheduler has tried.
    """
    scans = {scan["root_id"]: scan for scan in current_scans(session)}
    snapshots = (media_stats(session), music_stats(session))
    roots = [root for snapshot in snapshots for root in (snapshot.data or {})["by_root"]]
    watches = {row.id: row.watch for row in session.execute(select(LibraryRoot.id, LibraryRoot.watch))}
    return [
        {**root, "scan": scans.get(root["id"]), "watch": watches.get(root["id"])}
        for root in sorted(roots, key=lambda root: root["id"])
    ]
