"""Read what a media file is from its path: the root's kind first, then its folders, then its name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Any

from vabhub.collectors.library.rules import anime, films, music, series, text
from vabhub.collectors.library.walk import PLAYLISTS

# Raised with every change to the rules, so that names that older rules have read are read again.
RULES = 3


class FileKind(StrEnum):
    """What a file was recognised as."""

    MOVIE = "movie"
    EPISODE = "episode"
    ANIME = "anime"
    TRACK = "track"
    PLAYLIST = "playlist"
    UNPARSED = "unparsed"


@dataclass(frozen=True, slots=True)
class ParsedName:
    """What a path says. `quality` is None for sound; None elsewhere means that the name does not tell."""

    kind: FileKind
    title: str | None = None
    year: int | None = None
    season: int | None = None
    episode: int | None = None
    quality: str | None = None
    artist: str | None = None
    album: str | None = None
    detail: dict[str, Any] = field(default_factory=dict)


def parse_name(path: str, root_kind: str) -> ParsedName:
    """Return what a path below a root of `root_kind` is; never raises for any text."""
    pure = PurePosixPath(path)
    folders = [text.without_ids(folder) or folder for folder in pure.parts[:-1]]
    return _PARSERS[root_kind](folders, text.without_ids(pure.stem) or pure.stem, pure.suffix[1:].lower())


def _movie(folders: list[str], stem: str, _extension: str) -> ParsedName:
    if films.in_disc_folder(folders):
        folders, stem = films.above_disc_folder(folders, stem)
    quality = text.quality([stem, *folders[-1:]])
    for rule in (films.title_with_year_in_brackets, films.title_with_loose_year):
        for name in (stem, *folders[-1:]):
            if titled := rule(name):
                return _movie_of(*titled, quality)
    guess = _guess(stem, "movie")
    title = text.tidy(guess.get("title"))
    return _movie_of(title, _one(guess.get("year")), quality)


def _movie_of(title: str | None, year: int | None, quality: str) -> ParsedName:
    if not title:
        return ParsedName(FileKind.UNPARSED, year=year, quality=quality)
    own, other = text.split_languages(title)
    detail = {"other_title": other} if other else {}
    return ParsedName(FileKind.MOVIE, own, year, quality=quality, detail=detail)


def _episode(folders: list[str], stem: str, _extension: str) -> ParsedName:
    show, season_of_folder = series.show_of_folders(folders)
    quality = text.quality([stem, *reversed(folders)])
    numbers = series.episode_numbers(stem)
    title = show or (text.tidy(numbers.title) if numbers else None)
    if numbers and title:
        season = numbers.season if numbers.season is not None else season_of_folder
        numbers = series.without_season_digit(numbers, season_of_folder, stem)
        return _episode_of(title, 1 if season is None else season, numbers, quality)
    return _guessed_episode(folders, stem, show, season_of_folder, quality)


def _episode_of(title: str, season: int, numbers: series.Numbers, quality: str) -> ParsedName:
    name, year = text.split_year(title)
    own, other = text.split_languages(name)
    detail: dict[str, Any] = {"last_episode": numbers.last} if numbers.last else {}
    detail |= {"other_title": other} if other else {}
    return ParsedName(FileKind.EPISODE, own, year, season, numbers.episode, quality, detail=detail)


def _guessed_episode(
    folders: list[str], stem: str, show: str | None, season: int | None, quality: str
) -> ParsedName:
    guess = _guess("/".join([*folders[-2:], stem]), "episode")
    name, year = text.split_year(show or text.tidy(guess.get("title")) or "")
    episode = _one(guess.get("episode"))
    if not name or (episode is None and not guess.get("date")):
        return ParsedName(FileKind.UNPARSED, name or None, quality=quality)
    guessed_season = _one(guess.get("season"))
    number = season if season is not None else 1 if guessed_season is None else guessed_season
    detail = {"date": str(guess["date"])} if guess.get("date") else {}
    year = year or _one(guess.get("year"))
    return ParsedName(FileKind.EPISODE, name, year, number, episode, quality, detail=detail)


def _anime(folders: list[str], stem: str, _extension: str) -> ParsedName:
    quality = text.quality([stem, *reversed(folders)])
    release = anime.fansub_release(stem)
    show, season_of_folder = series.show_of_folders(folders)
    # A release folder ("[Group] Title [1080p]") names the release; a tidy one ("Title") names the show.
    show = None if folders and any(anime.is_release_folder(folder) for folder in folders) else show
    title = show or release.title or _title_above(folders)
    if not title:
        return _guessed_anime(stem, quality)
    name, season_of_title = series.split_season(title)
    name, year = text.split_year(name)
    episode = release.episode
    if episode is None and show and (numbers := series.episode_numbers(stem)):
        episode = numbers.episode
    season = next((n for n in (release.season, season_of_folder, season_of_title) if n is not None), None)
    return ParsedName(FileKind.ANIME, name, year or release.year, season, episode, quality)


def _title_above(folders: list[str]) -> str | None:
    return next((r.title for f in reversed(folders) if (r := anime.fansub_release(f)).title), None)


def _guessed_anime(stem: str, quality: str) -> ParsedName:
    guess = _guess(stem, "episode")
    title = text.tidy(guess.get("title"))
    if not title:
        return ParsedName(FileKind.UNPARSED, quality=quality)
    season, episode = _one(guess.get("season")), _one(guess.get("episode"))
    return ParsedName(FileKind.ANIME, title, _one(guess.get("year")), season, episode, quality)


def _music(folders: list[str], stem: str, extension: str) -> ParsedName:
    if extension in PLAYLISTS:
        return ParsedName(FileKind.PLAYLIST, text.tidy(stem) or stem)
    artist, album = music.artist_and_album(folders)
    parts = music.track_parts(stem)
    return ParsedName(
        FileKind.TRACK,
        parts.title,
        episode=parts.number,
        artist=artist or parts.artist,
        album=album,
    )


def _guess(name: str, kind: str) -> dict[str, Any]:
    """Ask guessit, which costs 10–30 ms a name and is imported by the first question only."""
    from guessit import guessit
    from guessit.api import GuessitException

    try:
        return dict(guessit(name, {"type": kind}))
    except GuessitException:
        return {}


def _one(value: Any) -> int | None:
    """Return one number: guessit gives a list for several seasons or episodes."""
    first = value[0] if isinstance(value, list) and value else value
    return first if isinstance(first, int) and 0 <= first < 100_000 else None


_PARSERS: dict[str, Callable[[list[str], str, str], ParsedName]] = {
    "movies": _movie,
    "tv": _episode,
    "anime": _anime,
    "music": _music,
}
