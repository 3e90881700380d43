"""The kernel tells of changes in the library; watches are bounded, and say when they are not enough."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from tests.collectors.library.trees import make_tree
from vabhub.collectors.library import Changes, run_scan, sync_roots
from vabhub.collectors.library.changes import AT_MOST_S, QUIET_S
from vabhub.db import reading, transaction
from vabhub.models import LibraryFile, LibraryRoot, LibraryScan
from vabhub.settings import MediaRoot, Settings

TREE = ["A (2001)/A (2001).mkv", "B (2002)/B (2002).mkv", "B (2002)/deeper/C (2003).mkv"]
LONG_AGO = (1_000_000_000, 1_000_000_000)


class Time:
    """A clock that is set by hand."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def at() -> Time:
    """The clock that the watcher reads."""
    return Time()


@pytest.fixture
def movies(tmp_path: Path) -> Path:
    """Where the films lie."""
    make_tree(tmp_path / "movies", TREE)
    return tmp_path / "movies"


@pytest.fixture
def root_id(database: Settings, redis: None, movies: Path) -> int:
    """A scanned root of three films in four folders, which have not changed for years."""
    for folder, _, files in os.walk(movies):
        for path in (*(Path(folder) / name for name in files), Path(folder)):
            os.utime(path, LONG_AGO)
    with transaction() as session:
        roots = (MediaRoot(path=movies, kind="movies"),)
        [made] = sync_roots(session, database.model_copy(update={"media_roots": roots}))
    run_scan(made)
    return made


@pytest.fixture
def changes(root_id: int, at: Time) -> Iterator[Changes]:
    """A watcher that has seen the root."""
    made = Changes(100, monotonic=at)
    assert made.see() == 0
    yield made
    made.close()


def _scans() -> int:
    with reading() as session:
        return len(session.scalars(select(LibraryScan)).all())


def _watch(root_id: int) -> Any:
    with reading() as session:
        return session.get_one(LibraryRoot, root_id).watch


def test_a_new_file_is_scanned_once_it_is_quiet(
    changes: Changes, at: Time, root_id: int, movies: Path
) -> None:
    make_tree(movies, ["A (2001)/D (2004).mkv"])
    assert changes.see() == 0
    at.now += QUIET_S - 1
    assert changes.see() == 0
    at.now += 1
    assert changes.see() == 1
    run_scan(root_id)
    at.now += QUIET_S
    assert (changes.see(), _scans()) == (0, 2)


def test_a_copy_that_goes_on_is_scanned_in_between(changes: Changes, at: Time, movies: Path) -> None:
    for number in range(int(AT_MOST_S / QUIET_S) * 2 + 1):
        make_tree(movies, [f"A (2001)/E{number} (2004).mkv"])
        queued = changes.see()
        at.now += QUIET_S / 2
    assert queued == 1


def test_a_file_rewritten_in_place_is_read_again(
    changes: Changes, at: Time, root_id: int, movies: Path
) -> None:
    with (movies / "A (2001)/A (2001).mkv").open("ab") as file:
        file.write(b"more")
    os.utime(movies / "A (2001)", LONG_AGO)
    changes.see()
    at.now += QUIET_S
    assert changes.see() == 1
    run_scan(root_id)
    with reading() as session:
        sizes = session.scalars(select(LibraryFile.size_bytes).order_by(LibraryFile.path)).all()
    assert list(sizes) == [7, 3, 3]


def test_reading_a_file_is_no_change(changes: Changes, at: Time, movies: Path) -> None:
    (movies / "A (2001)/A (2001).mkv").read_bytes()
    changes.see()
    at.now += QUIET_S
    assert changes.see() == 0


def test_a_folder_that_came_later_is_watched_after_its_scan(
    changes: Changes, at: Time, root_id: int, movies: Path
) -> None:
    make_tree(movies, ["New/F (2005).mkv"])
    changes.see()
    at.now += QUIET_S
    assert changes.see() == 1
    run_scan(root_id)
    changes.see()
    make_tree(movies, ["New/G (2006).mkv"])
    changes.see()
    at.now += QUIET_S
    assert changes.see() == 1


def test_the_watches_are_bounded_and_say_so(root_id: int) -> None:
    some = Changes(2)
    some.see()
    assert _watch(root_id) == {"folders": 4, "watched": 2, "reason": "limit"}
    some.close()


def test_all_folders_watched_has_no_reason(changes: Changes, root_id: int) -> None:
    assert _watch(root_id) == {"folders": 4, "watched": 4, "reason": None}


def test_a_root_that_is_disabled_gives_its_watches_back(
    changes: Changes, at: Time, database: Settings, movies: Path
) -> None:
    with transaction() as session:
        sync_roots(session, database)
    changes.see()
    make_tree(movies, ["A (2001)/H (2007).mkv"])
    changes.see()
    at.now += QUIET_S
    assert changes.see() == 0
