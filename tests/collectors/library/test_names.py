"""Names are read right: the labelled list, and no text that breaks the reader."""

from __future__ import annotations

import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.collectors.library.labelled import NAMES
from tests.collectors.library.released import released
from vabhub.collectors.library.names import FileKind, parse_name
from vabhub.collectors.library.rules.text import number_of, quality, tidy
from vabhub.collectors.library.walk import disk_path, stored_path

KINDS = ("movies", "tv", "anime", "music")


def _wrong(root_kind: str, path: str, expected: dict[str, object]) -> dict[str, object]:
    name = parse_name(path, root_kind)
    return {field: getattr(name, field) for field, value in expected.items() if getattr(name, field) != value}


@pytest.mark.parametrize("root_kind", KINDS)
def test_labelled_names_are_read_right(root_kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    labelled = [entry for entry in (*NAMES, *released("seen")) if entry[0] == root_kind]
    wrong = [(path, fields) for kind, path, want in labelled if (fields := _wrong(kind, path, want))]
    _tell(f"names of {root_kind}", len(labelled), len(wrong), capsys)
    assert len(labelled) >= 60
    assert len(wrong) <= 0.05 * len(labelled), wrong


def test_names_that_no_rule_was_tuned_by_are_read_right_too(capsys: pytest.CaptureFixture[str]) -> None:
    held_out = released("held_out")
    wrong = [(path, fields) for kind, path, want in held_out if (fields := _wrong(kind, path, want))]
    for root_kind in KINDS:
        ours = [path for kind, path, _ in held_out if kind == root_kind]
        _tell(f"held-out names of {root_kind}", len(ours), sum(path in ours for path, _ in wrong), capsys)
    assert len(wrong) <= 0.05 * len(held_out), wrong


def test_the_labelled_list_is_large_enough() -> None:
    paths = [path for _, path, _ in (*NAMES, *released("seen"), *released("held_out"))]
    assert len(paths) >= 500
    assert len(set(paths)) == len(paths)


def _tell(what: str, count: int, wrong: int, capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        sys.stdout.write(f"\n{what}: {count - wrong} of {count} ({100 * (count - wrong) / count:.1f} %) ")


@pytest.mark.parametrize(
    ("path", "episode"),
    [
        ("Show/Season 1/101 - Pilot.mkv", 1),
        ("Show/Season 1/101.mkv", 101),
        ("Show/Season 2/101 - X.mkv", 101),
    ],
)
def test_a_season_in_front_of_the_episode_is_read_only_with_a_title(path: str, episode: int) -> None:
    assert parse_name(path, "tv").episode == episode


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("(500) Days of Summer", "(500) Days of Summer"),
        ("Battery (Live)", "Battery (Live)"),
        ("Title (", "Title"),
    ],
)
def test_only_brackets_that_belong_to_nothing_are_cut(text: str, title: str) -> None:
    assert tidy(text) == title


@pytest.mark.parametrize(
    "path", ["Dune 2021.mkv", "Aliens 1986.mkv", "Movie 2010 DTS5.1.mkv", "S.W.A.T. 2003.mkv"]
)
def test_a_film_is_never_taken_for_television(path: str) -> None:
    assert parse_name(path, "movies").kind is FileKind.MOVIE


def test_the_roots_kind_wins_over_the_name() -> None:
    assert parse_name("Show/Season 1/Show - S01E01.mkv", "movies").kind is FileKind.MOVIE
    assert parse_name("Show/Season 1/Show - S01E01.mkv", "anime").kind is FileKind.ANIME


def test_an_episode_without_a_number_is_unparsed() -> None:
    assert parse_name("random.mkv", "tv").kind is FileKind.UNPARSED


def test_a_daily_show_is_counted_by_its_date() -> None:
    name = parse_name("The Daily Show/The.Daily.Show.2023.05.01.720p.mkv", "tv")
    assert (name.kind, name.detail) == (FileKind.EPISODE, {"date": "2023-05-01"})


def test_a_file_with_several_episodes_tells_the_last() -> None:
    assert parse_name("Show/Show.S01E01-E03.mkv", "tv").detail == {"last_episode": 3}


def test_a_second_language_is_kept_aside() -> None:
    name = parse_name("流浪地球2.The.Wandering.Earth.II.2023.2160p.mp4", "movies")
    assert (name.title, name.detail) == ("流浪地球2", {"other_title": "The Wandering Earth II"})


@pytest.mark.parametrize(
    ("text", "number"),
    [("7", 7), ("七", 7), ("十", 10), ("十二", 12), ("七十六", 76), ("一百零五", 105), ("两", 2)],
)
def test_numbers_are_read_in_digits_and_in_chinese(text: str, number: int) -> None:
    assert number_of(text) == number


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Film 4K", "2160p"),
        ("Film.UHD", "2160p"),
        ("Film.1080i", "1080p"),
        ("Film [1280x720]", "720p"),
        ("Film.DVDRip", "480p"),
        ("Film", "unknown"),
        ("Blade Runner 1080", "unknown"),
        ("A4Knife", "unknown"),
    ],
)
def test_quality_comes_from_the_name(name: str, expected: str) -> None:
    assert quality([name]) == expected


_ODD = st.text(
    st.one_of(
        st.characters(exclude_characters="/\0", exclude_categories=["Cs"]),
        st.sampled_from("[]【】()（）-._ SE第季集话0123456789十百年★"),
    ),
    min_size=1,
    max_size=40,
)


# guessit's first question alone takes longer than hypothesis allows.
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(_ODD, min_size=1, max_size=4), st.sampled_from(KINDS), st.sampled_from(["mkv", "mp3", "m3u", ""])
)
def test_no_name_breaks_the_reader(parts: list[str], kind: str, extension: str) -> None:
    name = parse_name("/".join(parts) + "." + extension, kind)
    assert name.kind in FileKind
    for number in (name.year, name.season, name.episode):
        assert number is None or 0 <= number < 2**31


@settings(deadline=None)
@given(st.binary(min_size=1, max_size=60).filter(lambda raw: b"\0" not in raw))
def test_any_path_is_stored_as_text_and_found_again(raw: bytes) -> None:
    path = raw.decode("utf-8", "surrogateescape")
    stored = stored_path(path)
    stored.encode("utf-8")
    assert disk_path(stored) == path
