"""Series: seasons and episodes, in names and in folders."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from vabhub.collectors.library.rules.text import (
    LEFT,
    NUMBER,
    RIGHT,
    YEAR,
    number_of,
    tidy,
    without_leading_group,
)


@dataclass(frozen=True, slots=True)
class Numbers:
    """Where an episode stands: the text before the numbers, season (None: not said), first and last."""

    title: str
    season: int | None
    episode: int
    last: int | None = None


_SEASON_FOLDER = re.compile(
    rf"^(?:(?:season|series|staffel|saison|temporada)[\s._-]*(?P<a>\d{{1,4}})|s(?P<b>\d{{1,4}})|"
    rf"第?\s*(?P<c>{NUMBER})\s*季|(?P<special>specials?|特别篇|番外|ova|oad|sp))\b",
    re.IGNORECASE,
)
_SEASON_SUFFIX = re.compile(
    rf"[\s._\-]*(?:第\s*(?P<a>{NUMBER})\s*[季期部]|{LEFT}(?:season|s)[\s._]?(?P<b>\d{{1,2}})|"
    rf"{LEFT}(?P<c>\d{{1,2}})(?:st|nd|rd|th)[\s._]season)\s*$",
    re.IGNORECASE,
)
_EPISODE_PATTERNS = (
    re.compile(
        rf"^(?P<t>.*?){LEFT}S(?P<s>\d{{1,4}})[\s._-]*E(?:P)?(?P<e>\d{{1,4}})"
        rf"(?:[\s._]*-?[\s._]*EP?(?P<l>\d{{1,4}})|-(?P<m>\d{{1,3}}))?(?:v\d)?{RIGHT}",
        re.IGNORECASE,
    ),
    re.compile(
        rf"^(?P<t>.*?){LEFT}(?P<s>\d{{1,2}})x(?P<e>\d{{2,3}})(?:-(?:\d{{1,2}}x)?(?P<l>\d{{2,3}}))?{RIGHT}",
        re.I,
    ),
    re.compile(
        rf"^(?P<t>.*?){LEFT}Season[\s._]?(?P<s>\d{{1,2}})[\s._,-]+Episode[\s._]?(?P<e>\d{{1,3}}){RIGHT}",
        re.I,
    ),
    re.compile(rf"^(?P<t>.*?)(?:第\s*(?P<s>{NUMBER})\s*季)?[\s._\-]*第\s*(?P<e>{NUMBER})\s*[集话話回]"),
    re.compile(
        rf"^(?P<t>.*?){LEFT}(?:EP?|Episode)[\s._]?(?P<e>\d{{1,4}})"
        rf"(?:[\s._]*-[\s._]*EP?(?P<l>\d{{1,4}}))?{RIGHT}",
        re.I,
    ),
)
_NUMBER_AND_TITLE = re.compile(r"^\d{3,4}[\s._]*-[\s._]*\S")
_BARE_NUMBER = re.compile(rf"^(?P<e>\d{{1,3}})(?=$|[\s._]*-|[\s._](?!{YEAR}))")


def show_of_folders(folders: Sequence[str]) -> tuple[str | None, int | None]:
    """Return show and season that the folders name: `Show/Season 2` or `Show`, None where they do not."""
    season: int | None = None
    for folder in reversed(folders):
        number = _season_folder(folder)
        if number is None:
            title, season_of_title = split_season(tidy(_before_technical(folder)) or "")
            return title or None, season if season is not None else season_of_title
        season = number if season is None else season
    return None, season


def marked_numbers(stem: str) -> Numbers | None:
    """Return season and episode where they are marked: `S01E02`, `1x02`, `EP02`, `第2集`."""
    for pattern in _EPISODE_PATTERNS:
        match = pattern.search(stem)
        if match:
            return _numbers_of(match)
    return None


def episode_numbers(stem: str) -> Numbers | None:
    """Return what is marked, or the bare number in front of `02.mkv` and `02 - Title.mkv`."""
    marked = marked_numbers(stem)
    if marked is not None:
        return marked
    match = _BARE_NUMBER.match(stem)
    return Numbers("", None, int(match["e"])) if match else None


def without_season_digit(numbers: Numbers, season: int | None, stem: str) -> Numbers:
    """Read `413 - Title` in the folder of season 4 as its episode 13; `413` alone may be the 413th."""
    hundreds, episode = divmod(numbers.episode, 100)
    if not season or hundreds != season or not episode or not _NUMBER_AND_TITLE.match(stem):
        return numbers
    return replace(numbers, episode=episode)


def split_season(title: str) -> tuple[str, int | None]:
    """Cut `Season 2`, `2nd Season`, `S2` or `第二季` off the end of a title."""
    season: int | None = None
    while (match := _SEASON_SUFFIX.search(title)) and (rest := tidy(title[: match.start()])):
        season = number_of(match["a"] or match["b"] or match["c"]) if season is None else season
        title = rest
    return title, season


def _season_folder(folder: str) -> int | None:
    match = _SEASON_FOLDER.match(folder.strip())
    if not match:
        return None
    return 0 if match["special"] else number_of(match["a"] or match["b"] or match["c"])


def _numbers_of(match: re.Match[str]) -> Numbers | None:
    groups = match.groupdict()
    episode = number_of(groups["e"])
    if episode is None:
        return None
    season = number_of(groups["s"]) if groups.get("s") else None
    last = number_of(groups.get("l") or groups.get("m") or "0")
    title, season_of_title = split_season(tidy(without_leading_group(groups["t"])) or "")
    return Numbers(
        title,
        season_of_title if season is None else season,
        episode,
        last if last and last > episode else None,
    )


_TECHNICAL = re.compile(
    rf"{LEFT}(?:S\d{{1,2}}(?:E\d+)?(?:-S?\d{{1,2}})?|2160p|1080[pi]|720p|480p|4K|UHD|BluRay|BDRip|WEB-?DL|WEBRip|"
    rf"HDTV|DVDRip|REMUX|Complete|全\s*\d+\s*[集话]){RIGHT}.*$",
    re.IGNORECASE,
)


def _before_technical(folder: str) -> str:
    """Return the part of a release folder's name that is a title; a season in it stays."""
    cut = _TECHNICAL.search(folder)
    if not cut or not cut.start():
        return folder
    season = re.match(r"S(\d{1,2})(?!\d)", cut[0], re.IGNORECASE)
    return folder[: cut.start()] + (f" S{season[1]}" if season else "")
