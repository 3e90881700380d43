"""The walk finds media and nothing else, whatever lies in the folder."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from tests.collectors.library.trees import make_tree, unreadable
from vabhub.collectors.library.walk import walk


def _paths(root: Path, kind: str = "movies") -> list[str]:
    return sorted(file.path for file in walk(str(root), kind).files)


def test_only_media_of_the_roots_kind_is_found(tmp_path: Path) -> None:
    make_tree(tmp_path, ["a.mkv", "a.srt", "a.nfo", "poster.jpg", "b.MP4", "song.mp3", "list.m3u", "noext"])
    assert _paths(tmp_path) == ["a.mkv", "b.MP4"]
    assert _paths(tmp_path, "music") == ["list.m3u", "song.mp3"]


def test_hidden_files_samples_extras_and_bins_are_left_out(tmp_path: Path) -> None:
    wanted = ["Film (2001)/Film.mkv", "The Sample Film (2001).mkv"]
    unwanted = [
        ".hidden.mkv",
        ".Trash-1000/x.mkv",
        "@eaDir/x.mkv",
        "#recycle/x.mkv",
        "Film (2001)/Sample/x.mkv",
        "Film (2001)/film-sample.mkv",
        "Film (2001)/film-trailer.mp4",
        "Film (2001)/Extras/x.mkv",
    ]
    make_tree(tmp_path, wanted + unwanted)
    assert _paths(tmp_path) == wanted


def test_anime_credits_and_menus_are_left_out(tmp_path: Path) -> None:
    make_tree(tmp_path, ["[G] Show [01].mkv", "[G] Show [NCOP1].mkv", "[G] Show [Menu].mkv", "SPs/x.mkv"])
    assert _paths(tmp_path, "anime") == ["[G] Show [01].mkv"]


def test_a_loop_of_links_ends_and_counts_once(tmp_path: Path) -> None:
    make_tree(tmp_path, ["show/a.mkv"])
    (tmp_path / "show" / "loop").symlink_to(tmp_path)
    (tmp_path / "again").symlink_to(tmp_path / "show")
    assert _paths(tmp_path) == ["show/a.mkv"]


def test_a_linked_folder_outside_is_followed(tmp_path: Path) -> None:
    make_tree(tmp_path, ["elsewhere/b.mkv", "root/a.mkv"])
    (tmp_path / "root" / "more").symlink_to(tmp_path / "elsewhere")
    assert _paths(tmp_path / "root") == ["a.mkv", "more/b.mkv"]


def test_unreadable_folders_are_counted_and_the_rest_is_found(tmp_path: Path) -> None:
    make_tree(tmp_path, ["a.mkv", "locked/b.mkv"])
    with unreadable(tmp_path / "locked"):
        found = walk(str(tmp_path), "movies")
    assert [file.path for file in found.files] == ["a.mkv"]
    assert found.unreadable == ["locked"]


def test_a_broken_link_and_a_link_to_itself_are_counted_as_unreadable(tmp_path: Path) -> None:
    (tmp_path / "broken.mkv").symlink_to(tmp_path / "nowhere.mkv")
    (tmp_path / "self.mkv").symlink_to(tmp_path / "self.mkv")
    found = walk(str(tmp_path), "movies")
    assert (found.files, sorted(found.unreadable)) == ([], ["broken.mkv", "self.mkv"])


def test_pipes_and_sockets_are_not_media(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mkv")
    with socket.socket(socket.AF_UNIX) as listener:
        before = Path.cwd()
        os.chdir(tmp_path)  # a socket's path must be short
        try:
            listener.bind("sock.mkv")
        finally:
            os.chdir(before)
    assert _paths(tmp_path) == []


def test_names_that_are_not_utf8_are_kept(tmp_path: Path) -> None:
    (Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.mkv"))).touch()
    (tmp_path / "back\\slash.mkv").touch()
    assert _paths(tmp_path) == ["back\\\\slash.mkv", "caf\\xe9.mkv"]


def test_a_root_inside_a_root_is_left_to_its_own_scan(tmp_path: Path) -> None:
    make_tree(tmp_path, ["a.mkv", "anime/b.mkv"])
    found = walk(str(tmp_path), "movies", skip=[os.path.realpath(tmp_path / "anime")])
    assert [file.path for file in found.files] == ["a.mkv"]


def test_a_missing_root_raises(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        walk(str(tmp_path / "gone"), "movies")
