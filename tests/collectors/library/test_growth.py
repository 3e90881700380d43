"""Growth is told by days that were measured; what was not measured is null."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from tests.collectors.library.trees import make_tree
from vabhub.clock import utcnow
from vabhub.collectors.library import media_stats, run_scan, sync_roots
from vabhub.collectors.library.growth import growth
from vabhub.db import reading, transaction
from vabhub.models import LibraryDay
from vabhub.settings import MediaRoot, Settings

GIB = 1024**3


@pytest.fixture
def roots(database: Settings, tmp_path: Path) -> list[int]:
    """Two roots that were never scanned."""
    named = tuple(MediaRoot(path=tmp_path / name, kind="movies") for name in ("a", "b"))
    with transaction() as session:
        return sync_roots(session, database.model_copy(update={"media_roots": named}))


def _add(root_id: int, days_ago: int, files: int, gib: int) -> None:
    day = (utcnow() - timedelta(days=days_ago)).date()
    with transaction() as session:
        session.add(LibraryDay(root_id=root_id, day=day, files=files, size_bytes=gib * GIB))


def _growth(roots: list[int]) -> dict[str, object] | None:
    with reading() as session:
        return growth(session, roots)


def test_without_a_recorded_day_there_is_no_growth(roots: list[int]) -> None:
    assert _growth(roots) is None


def test_one_day_alone_tells_no_change(roots: list[int]) -> None:
    _add(roots[0], 0, 10, 5)
    found = _growth(roots) or {}
    assert (found["files_7d"], found["size_gb_30d"]) == (None, None)
    assert len(found["days"]) == 1  # type: ignore[arg-type]


def test_changes_are_counted_within_their_window(roots: list[int]) -> None:
    _add(roots[0], 40, 1, 1)
    _add(roots[0], 20, 10, 5)
    _add(roots[0], 3, 12, 6)
    _add(roots[0], 0, 15, 9)
    found = _growth(roots) or {}
    assert (found["files_7d"], found["size_gb_7d"]) == (3, 3.0)
    assert (found["files_30d"], found["size_gb_30d"]) == (5, 4.0)


def test_a_root_that_was_not_scanned_on_a_day_counts_with_what_it_had(roots: list[int]) -> None:
    _add(roots[0], 2, 10, 5)
    _add(roots[1], 2, 100, 50)
    _add(roots[0], 1, 11, 5)
    found = _growth(roots) or {}
    assert [day["files"] for day in found["days"]] == [110, 111]  # type: ignore[attr-defined]
    assert found["files_7d"] == 1


def test_a_scan_records_its_day_once(database: Settings, redis: None, tmp_path: Path) -> None:
    make_tree(tmp_path / "movies", ["A (2001).mkv"])
    named = (MediaRoot(path=tmp_path / "movies", kind="movies"),)
    with transaction() as session:
        root_id = sync_roots(session, database.model_copy(update={"media_roots": named}))[0]
    run_scan(root_id)
    make_tree(tmp_path / "movies", ["B (2002).mkv"])
    run_scan(root_id)
    with reading() as session:
        found = (media_stats(session).data or {})["growth"]
    assert [day["files"] for day in found["days"]] == [2]
