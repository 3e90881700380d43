"""A scan brings the table up to date with the disk, and reads no name twice. SQLite and PostgreSQL."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import func, select

from tests.collectors.library.trees import make_tree
from vabhub.collectors.library import RootGone, scan, sync_roots
from vabhub.collectors.library.scan import BATCH
from vabhub.db import reading, transaction
from vabhub.errors import NotFound
from vabhub.models import LibraryFile, LibraryRoot
from vabhub.settings import MediaRoot, Settings

MakeRoot = Callable[..., int]


def _silent(_done: int, _total: int | None) -> None:
    pass


@pytest.fixture
def make_root(database: Settings, tmp_path: Path) -> MakeRoot:
    """Give a root of a kind with these files, by its id."""

    def make(kind: str, paths: list[str]) -> int:
        make_tree(tmp_path / kind, paths)
        roots = (MediaRoot(path=tmp_path / kind, kind=kind),)  # type: ignore[arg-type]
        with transaction() as session:
            return sync_roots(session, database.model_copy(update={"media_roots": roots}))[0]

    return make


def _files(root_id: int) -> dict[str, LibraryFile]:
    with reading() as session:
        rows = session.scalars(select(LibraryFile).where(LibraryFile.root_id == root_id)).all()
        session.expunge_all()
    return {row.path: row for row in rows}


def test_a_first_scan_stores_every_file(make_root: MakeRoot) -> None:
    root_id = make_root("movies", ["Dune (2021)/Dune (2021) 2160p.mkv", "odd.mkv", "note.txt"])
    result = scan(root_id, _silent)
    assert (result.total, result.parsed, result.added) == (2, 2, 2)
    dune = _files(root_id)["Dune (2021)/Dune (2021) 2160p.mkv"]
    assert (dune.kind, dune.title, dune.year, dune.quality, dune.size_bytes) == (
        "movie",
        "Dune",
        2021,
        "2160p",
        3,
    )


def test_a_rescan_of_the_unchanged_reads_no_name(make_root: MakeRoot) -> None:
    root_id = make_root("tv", [f"Show/Season 1/Show S01E{n:02}.mkv" for n in range(1, 11)])
    assert scan(root_id, _silent).parsed == 10
    again = scan(root_id, _silent)
    assert (again.total, again.parsed, again.added, again.changed, again.removed) == (10, 0, 0, 0, 0)


def test_only_new_changed_and_removed_files_are_touched(make_root: MakeRoot, tmp_path: Path) -> None:
    root_id = make_root("movies", ["A (2001).mkv", "B (2002).mkv", "C (2003).mkv"])
    scan(root_id, _silent)
    before = _files(root_id)
    (tmp_path / "movies/A (2001).mkv").write_bytes(b"longer")
    (tmp_path / "movies/B (2002).mkv").unlink()
    make_tree(tmp_path / "movies", ["D (2004).mkv"])
    result = scan(root_id, _silent)
    assert (result.parsed, result.added, result.changed, result.removed) == (2, 1, 1, 1)
    after = _files(root_id)
    assert sorted(after) == ["A (2001).mkv", "C (2003).mkv", "D (2004).mkv"]
    assert (after["A (2001).mkv"].size_bytes, after["A (2001).mkv"].id) == (6, before["A (2001).mkv"].id)
    assert after["A (2001).mkv"].added_at == before["A (2001).mkv"].added_at


def test_a_new_modification_time_alone_is_a_change(make_root: MakeRoot, tmp_path: Path) -> None:
    root_id = make_root("movies", ["A (2001).mkv"])
    scan(root_id, _silent)
    os.utime(tmp_path / "movies/A (2001).mkv", (1, 1))
    assert scan(root_id, _silent).changed == 1


def test_more_files_than_a_batch_report_their_progress(make_root: MakeRoot) -> None:
    count = BATCH * 2 + 5
    root_id = make_root("tv", [f"Show/S01E{n:03}.mkv" for n in range(1, count + 1)])
    heard: list[tuple[int, int | None]] = []
    scan(root_id, lambda done, total: heard.append((done, total)))
    known = [entry for entry in heard if entry[1] is not None]
    assert known == [(0, count), (BATCH, count), (BATCH * 2, count), (count, count)]
    assert all(done <= count for done, _ in heard)


def test_a_vanished_root_keeps_its_files(make_root: MakeRoot, tmp_path: Path) -> None:
    root_id = make_root("movies", ["A (2001).mkv"])
    scan(root_id, _silent)
    shutil.move(tmp_path / "movies", tmp_path / "unplugged")
    with pytest.raises(RootGone, match="cannot be read"):
        scan(root_id, _silent)
    assert len(_files(root_id)) == 1


def test_an_empty_mount_point_keeps_its_files(make_root: MakeRoot, tmp_path: Path) -> None:
    root_id = make_root("movies", ["A (2001).mkv"])
    scan(root_id, _silent)
    (tmp_path / "movies/A (2001).mkv").unlink()
    with pytest.raises(RootGone, match="mounted"):
        scan(root_id, _silent)
    assert len(_files(root_id)) == 1


def test_files_below_an_unreadable_folder_are_not_forgotten(make_root: MakeRoot, tmp_path: Path) -> None:
    root_id = make_root("movies", ["A (2001).mkv", "locked/B (2002).mkv", "gone/C (2003).mkv"])
    scan(root_id, _silent)
    shutil.rmtree(tmp_path / "movies/gone")
    # A link that only leads to itself cannot be looked into, not even by root.
    shutil.move(tmp_path / "movies/locked", tmp_path / "aside")
    (tmp_path / "movies/locked").symlink_to(tmp_path / "movies/locked")
    found = scan(root_id, _silent)
    assert (found.removed, found.unreadable) == (1, 1)
    assert sorted(_files(root_id)) == ["A (2001).mkv", "locked/B (2002).mkv"]


def test_a_changed_kind_reads_every_name_again(
    make_root: MakeRoot, database: Settings, tmp_path: Path
) -> None:
    root_id = make_root("movies", ["Show S01E01.mkv"])
    scan(root_id, _silent)
    roots = (MediaRoot(path=tmp_path / "movies", kind="tv"),)
    with transaction() as session:
        assert sync_roots(session, database.model_copy(update={"media_roots": roots})) == [root_id]
    assert scan(root_id, _silent).changed == 1
    assert _files(root_id)["Show S01E01.mkv"].kind == "episode"


def test_a_root_that_is_not_named_any_more_is_disabled_and_kept(
    make_root: MakeRoot, database: Settings
) -> None:
    root_id = make_root("movies", ["A (2001).mkv"])
    scan(root_id, _silent)
    with transaction() as session:
        assert sync_roots(session, database) == []
        assert session.get_one(LibraryRoot, root_id).enabled is False
        assert session.scalar(select(func.count()).select_from(LibraryFile)) == 1


def test_a_first_scan_dates_files_by_themselves_and_later_ones_by_now(
    make_root: MakeRoot, tmp_path: Path
) -> None:
    root_id = make_root("movies", ["Old (1950).mkv"])
    os.utime(tmp_path / "movies/Old (1950).mkv", (1_000_000_000, 1_000_000_000))
    scan(root_id, _silent)
    make_tree(tmp_path / "movies", ["New (2020).mkv"])
    os.utime(tmp_path / "movies/New (2020).mkv", (1_000_000_000, 1_000_000_000))
    scan(root_id, _silent)
    files = _files(root_id)
    assert files["Old (1950).mkv"].added_at == datetime(2001, 9, 9, 1, 46, 40, tzinfo=UTC)
    assert files["New (2020).mkv"].added_at.year > 2001


def test_odd_names_are_stored(make_root: MakeRoot, tmp_path: Path) -> None:
    root_id = make_root(
        "movies", ["new\nline.mkv", "tab\t.mkv", "emoji 🎬 (2020).mkv", "quote'\".mkv", "x" * 240 + ".mkv"]
    )
    Path(os.fsdecode(os.fsencode(tmp_path / "movies") + b"/caf\xe9 (1999).mkv")).touch()
    assert scan(root_id, _silent).added == 6
    assert "caf\\xe9 (1999).mkv" in _files(root_id)
    assert scan(root_id, _silent).parsed == 0


def test_an_unknown_root_is_not_found(database: Settings) -> None:
    with pytest.raises(NotFound):
        scan(4711, _silent)
