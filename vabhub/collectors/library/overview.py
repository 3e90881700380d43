"""Each root with its counts and its newest scan, for the library's page."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from vabhub.collectors.library.scans import current_scans
from vabhub.collectors.library.stats import media_stats, music_stats


def roots_view(session: Session) -> list[dict[str, Any]]:
    """Return the enabled roots as `by_root` of the counts has them, each with its newest `scan` or None."""
    scans = {scan["root_id"]: scan for scan in current_scans(session)}
    snapshots = (media_stats(session), music_stats(session))
    roots = [root for snapshot in snapshots for root in (snapshot.data or {})["by_root"]]
    return [{**root, "scan": scans.get(root["id"])} for root in sorted(roots, key=lambda root: root["id"])]
