"""The counts are of films, shows and episodes, not of files; the unknown is null, never 0."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.collectors.library.trees import make_tree
from vabhub.collectors.base import Snapshot
from vabhub.collectors.library import media_stats, music_stats, request_all_scans, run_scan, sync_roots
from vabhub.db import reading, transaction
from vabhub.settings import MediaRoot, Settings

MIB = 1024**2


@pytest.fixture
def fill(database: Settings, redis: None, tmp_path: Path) -> Any:
    """Make roots by kind with their files; scan those named in `scan`."""

    def fill_roots(trees: dict[str, list[str]], *, scan: bool = True, size: int = 3) -> None:
        for kind, paths in trees.items():
            (tmp_path / kind).mkdir(exist_ok=True)
            make_tree(tmp_path / kind, paths, size=size)
        roots = tuple(MediaRoot(path=tmp_path / kind, kind=kind) for kind in trees)  # type: ignore[arg-type]
        with transaction() as session:
            ids = sync_roots(session, database.model_copy(update={"media_roots": roots}))
            request_all_scans(session)
        for root_id in ids if scan else []:
            run_scan(root_id)

    return fill_roots


def _media() -> Snapshot:
    with reading() as session:
        return media_stats(session)


def _music() -> Snapshot:
    with reading() as session:
        return music_stats(session)


def _data(snapshot: Snapshot) -> dict[str, Any]:
    assert snapshot.data is not None
    json.loads(snapshot.to_json())
    return snapshot.data


def test_without_roots_all_is_null_and_unconfigured(database: Settings) -> None:
    for snapshot in (_media(), _music()):
        assert snapshot.status == "unconfigured"
        numbers = {k: v for k, v in _data(snapshot).items() if k not in ("by_root", "recently_added")}
        assert set(numbers.values()) == {None}


def test_before_the_first_scan_all_is_null(fill: Any) -> None:
    fill({"movies": ["A (2001).mkv"]}, scan=False)
    snapshot = _media()
    assert (snapshot.status, snapshot.error_code) == ("stale", "NOT_SCANNED")
    assert _data(snapshot)["total_movies"] is None
    assert _data(snapshot)["by_root"][0]["files"] is None


def test_a_scanned_empty_root_is_a_true_zero(fill: Any) -> None:
    fill({"movies": []})
    snapshot = _media()
    assert (snapshot.status, _data(snapshot)["total_movies"]) == ("ok", 0)


def test_films_shows_and_episodes_are_counted_once(fill: Any) -> None:
    fill(
        {
            "movies": [
                "Dune (2021)/Dune (2021) 2160p.mkv",
                "Dune (2021)/Dune (2021) 1080p.mkv",
                "Dune (1984).mkv",
            ],
            "tv": [
                "Show/S01E01 720p.mkv",
                "show/S01E01 1080p.mkv",
                "Show/S01E02-E03.mkv",
                "Other/S02E01.mkv",
                "x.mkv",
            ],
            "anime": [
                "[G] Frieren - 01 [1080p].mkv",
                "[G] Frieren - 02 [1080p].mkv",
                "[G][Your Name][1080p].mkv",
            ],
        }
    )
    data = _data(_media())
    assert (data["total_movies"], data["total_tv_shows"], data["total_anime"]) == (2, 2, 2)
    assert (data["total_episodes"], data["unparsed"]) == (6, 1)
    assert [day["files"] for day in data["growth"]["days"]] == [11]
    assert data["by_quality"] == {"2160p": 1, "1080p": 5, "720p": 1, "unknown": 4}


def test_sizes_are_gib_of_all_files(fill: Any) -> None:
    fill({"movies": ["A (2001).mkv"], "tv": ["S/S01E01.mkv"]}, size=64 * MIB)
    data = _data(_media())
    assert data["total_size_gb"] == 0.125
    assert [(root["kind"], root["files"], root["size_gb"]) for root in data["by_root"]] == [
        ("movies", 1, 0.062),
        ("tv", 1, 0.062),
    ]


def test_recently_added_is_newest_first_and_short(fill: Any, tmp_path: Path) -> None:
    fill({"movies": [f"Film {n} (2001).mkv" for n in range(12)]})
    make_tree(tmp_path / "movies", ["Newest (2020).mkv"])
    fill({"movies": []})
    recent = _data(_media())["recently_added"]
    assert (len(recent), recent[0]["title"], recent[0]["year"]) == (10, "Newest", 2020)


def test_music_counts_by_folders(fill: Any) -> None:
    fill(
        {
            "music": [
                "Adele/25/01 Hello.m4a",
                "Adele/25/02 Skyfall.m4a",
                "Adele/21/01 Rolling.m4a",
                "周杰伦/七里香/01 - 我的地盘.flac",
                "Queen - Bohemian Rhapsody.mp3",
                "best.m3u",
            ]
        }
    )
    data = _data(_music())
    assert (data["total_tracks"], data["total_albums"], data["total_artists"]) == (5, 3, 3)
    assert (data["total_playlists"], data["total_size_gb"]) == (1, 0.0)
    assert _media().status == "unconfigured"
