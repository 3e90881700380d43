"""The task scans and hands the new counts on."""

from __future__ import annotations

from pathlib import Path

from tests.collectors.library.trees import make_tree
from vabhub.collectors.library import request_scan, sync_roots
from vabhub.collectors.publish import last_snapshot
from vabhub.db import transaction
from vabhub.settings import MediaRoot, Settings


def test_a_scan_publishes_the_counts_of_films_and_of_music(
    sqlite: Settings, redis: None, tmp_path: Path
) -> None:
    from workers.library import scan_library

    make_tree(tmp_path / "movies", ["A (2001).mkv", "B (2002).mkv"])
    roots = (MediaRoot(path=tmp_path / "movies", kind="movies"),)
    with transaction() as session:
        root_id = sync_roots(session, sqlite.model_copy(update={"media_roots": roots}))[0]
        request_scan(session, root_id)
    scan_library(root_id)
    media, music = last_snapshot("media"), last_snapshot("music")
    assert media and media.data and (media.status, media.data["total_movies"]) == ("ok", 2)
    assert music and music.status == "unconfigured"
