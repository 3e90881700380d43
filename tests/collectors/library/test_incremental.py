"""A scan reads only folders that have changed, and never takes an absent disk for an empty one."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from tests.collectors.library.trees import make_tree, unreadable
from vabhub.collectors.library import RootGone, media_stats, run_scan, scan, sync_roots
from vabhub.collectors.library.folders import load_memory
from vabhub.collectors.library.scan_run import ScanLost
from vabhub.db import reading, transaction
from vabhub.models import LibraryFile, LibraryFolder, LibraryRoot
from vabhub.settings import MediaRoot, Settings

LONG_AGO = (1_000_000_000, 1_000_000_000)
TREE = ["A (2001)/A (2001).mkv", "B (2002)/B (2002).mkv", "B (2002)/deeper/C (2003).mkv"]

Make = Callable[[list[str]], int]


def _silent(_done: int, _total: int | None) -> None:
    pass


def _settle(root: Path) -> None:
    """Make every folder and file look as if it had been left alone for years."""
    for folder, _, files in os.walk(root):
        for name in files:
            os.utime(Path(folder) / name, LONG_AGO)
        os.utime(folder, LONG_AGO)


@pytest.fixture
def movies(tmp_path: Path) -> Path:
    """Where the films lie."""
    return tmp_path / "movies"


@pytest.fixture
def root_id(database: Settings, redis: None, movies: Path) -> int:
    """A root of three films, settled and fully scanned."""
    make_tree(movies, TREE)
    _settle(movies)
    roots = (MediaRoot(path=movies, kind="movies"),)
    with transaction() as session:
        made = sync_roots(session, database.model_copy(update={"media_roots": roots}))[0]
    assert run_scan(made)
    return made


def _count(root_id: int) -> int:
    with reading() as session:
        counted = select(func.count()).select_from(LibraryFile).where(LibraryFile.root_id == root_id)
        return session.scalar(counted) or 0


def test_unchanged_folders_are_not_read(root_id: int) -> None:
    found = scan(root_id, _silent)
    assert (found.total, found.kept_folders, found.parsed, found.removed) == (3, 4, 0, 0)
    assert _count(root_id) == 3


def test_only_the_changed_folder_is_read(root_id: int, movies: Path) -> None:
    make_tree(movies, ["B (2002)/deeper/D (2004).mkv"])
    found = scan(root_id, _silent)
    assert (found.total, found.kept_folders, found.parsed, found.added) == (4, 3, 1, 1)


def test_a_removed_folder_in_an_unchanged_tree_is_forgotten(root_id: int, movies: Path) -> None:
    shutil.rmtree(movies / "B (2002)/deeper")
    found = scan(root_id, _silent)
    assert (found.total, found.removed, found.kept_folders) == (2, 1, 2)
    assert "B (2002)/deeper" not in load_memory(root_id, trust=True).folders


def test_a_file_rewritten_in_place_is_seen_by_a_full_scan(root_id: int, movies: Path) -> None:
    file = movies / "A (2001)/A (2001).mkv"
    with file.open("ab") as open_file:
        open_file.write(b"more")
    assert scan(root_id, _silent).changed == 0
    assert scan(root_id, _silent, full=True).changed == 1


def test_a_folder_that_was_just_changed_is_read_again(root_id: int, movies: Path) -> None:
    make_tree(movies, ["A (2001)/E (2005).mkv"])
    scan(root_id, _silent)
    assert scan(root_id, _silent).kept_folders == 3


def test_a_full_scan_comes_by_itself_after_a_day(root_id: int) -> None:
    with transaction() as session:
        session.execute(update(LibraryRoot).values(full_scan_at=None))
    found = scan(root_id, _silent)
    assert (found.full, found.kept_folders) == (True, 0)


def test_a_cancelled_scan_leaves_what_it_stored_and_the_next_goes_on(root_id: int, movies: Path) -> None:
    make_tree(movies, [f"New/N{n} (2010).mkv" for n in range(450)])

    def cancel(done: int, total: int | None) -> None:
        if total and done >= 203:
            raise ScanLost("cancelled")

    with pytest.raises(ScanLost):
        scan(root_id, cancel)
    stored = _count(root_id)
    assert stored == 3 + 200
    assert scan(root_id, _silent).parsed == 450 - 200


def test_a_root_without_any_media_left_is_believed_only_on_word(root_id: int, movies: Path) -> None:
    for name in ("A (2001)", "B (2002)"):
        shutil.rmtree(movies / name)
    (movies / "lost+found").mkdir()
    with pytest.raises(RootGone, match="mounted"):
        scan(root_id, _silent)
    assert _count(root_id) == 3
    assert scan(root_id, _silent, accept_missing=True).removed == 3


def test_other_files_in_an_unmounted_folder_do_not_replace_the_known(root_id: int, movies: Path) -> None:
    with transaction() as session:
        session.execute(update(LibraryFolder).where(LibraryFolder.path == "").values(is_mount=True))
    shutil.move(movies, movies.with_name("unplugged"))
    make_tree(movies, ["Download (2020).mkv"])
    with pytest.raises(RootGone, match="was a mounted disk"):
        scan(root_id, _silent)
    assert _count(root_id) == 3


def test_a_disk_that_is_missing_inside_a_root_keeps_its_files(root_id: int, movies: Path) -> None:
    with transaction() as session:
        inner = LibraryFolder.path == "B (2002)/deeper"
        session.execute(update(LibraryFolder).where(inner).values(is_mount=True))
    (movies / "B (2002)/deeper/C (2003).mkv").unlink()
    found = scan(root_id, _silent)
    assert (found.removed, found.unreadable) == (0, 1)
    assert _count(root_id) == 3
    assert scan(root_id, _silent).removed == 0


def test_an_unreadable_folder_keeps_its_files_and_is_tried_again(root_id: int, movies: Path) -> None:
    with unreadable(movies / "B (2002)"):
        locked = scan(root_id, _silent, full=True)
    assert (locked.removed, locked.unreadable) == (0, 1)
    again = scan(root_id, _silent)
    assert (again.total, again.removed, again.unreadable) == (3, 0, 0)


def test_a_loop_of_links_ends_also_among_unchanged_folders(root_id: int, movies: Path) -> None:
    (movies / "A (2001)/loop").symlink_to(movies)
    _settle(movies)
    assert scan(root_id, _silent, full=True).total == 3
    assert scan(root_id, _silent).total == 3


def test_a_new_root_inside_a_root_takes_its_files_over(
    root_id: int, movies: Path, database: Settings
) -> None:
    roots = (MediaRoot(path=movies, kind="movies"), MediaRoot(path=movies / "B (2002)", kind="movies"))
    with transaction() as session:
        outer, inner = sync_roots(session, database.model_copy(update={"media_roots": roots}))
    assert (scan(outer, _silent).total, scan(inner, _silent).total) == (1, 2)


def test_counts_of_a_vanished_root_stay_and_are_stale(root_id: int, movies: Path) -> None:
    shutil.move(movies, movies.with_name("unplugged"))
    run_scan(root_id)
    with reading() as session:
        snapshot = media_stats(session)
    assert (snapshot.status, snapshot.error_code) == ("stale", "ROOT_GONE")
    assert (snapshot.data or {})["total_movies"] == 3


def test_names_read_by_older_rules_are_read_again(root_id: int, movies: Path, database: Settings) -> None:
    roots = (MediaRoot(path=movies, kind="movies"),)
    with transaction() as session:
        session.execute(update(LibraryRoot).values(rules=1))
        sync_roots(session, database.model_copy(update={"media_roots": roots}))
    assert scan(root_id, _silent).parsed == 3
    assert scan(root_id, _silent).parsed == 0
