"""Rules that read names before guessit is asked: quality, seasons, episodes, fansub brackets, tracks.

An unanchored `(S|E)\\d` would call "Dune 2021" or "DTS5.1" television; every pattern here stands between
separators.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

UNKNOWN_QUALITY = "unknown"

_LEFT = r"(?:^|(?<=[\s._\-\[\](){}【】,&+]))"
_RIGHT = r"(?:$|(?=[\s._\-\[\](){}【】,&+]))"
_YEAR = r"(?:19[0-9]\d|20[0-4]\d)"
_CN = "零一二两三四五六七八九十百"
_NUMBER = rf"\d{{1,4}}|[{_CN}]{{1,4}}"

_QUALITIES = (
    ("2160p", re.compile(rf"{_LEFT}(?:2160[pi]|4K|UHD|3840[x×]2160){_RIGHT}", re.IGNORECASE)),
    ("1080p", re.compile(rf"{_LEFT}(?:1080[pi](?:\d\d)?|1920[x×]10[78]\d|FHD){_RIGHT}", re.IGNORECASE)),
    ("720p", re.compile(rf"{_LEFT}(?:720[pi](?:\d\d)?|1280[x×]7[0-9]\d){_RIGHT}", re.IGNORECASE)),
    (
        "480p",
        re.compile(rf"{_LEFT}(?:480[pi]|576[pi]|DVD(?:Rip|5|9|-?R)?|720x(?:480|576)){_RIGHT}", re.IGNORECASE),
    ),
)


@dataclass(frozen=True, slots=True)
class Numbers:
    """Where an episode stands: the text before the numbers, season (None: not said), first and last."""

    title: str
    season: int | None
    episode: int
    last: int | None = None


@dataclass(frozen=True, slots=True)
class Release:
    """A fansub release's name."""

    title: str | None
    season: int | None
    episode: int | None
    year: int | None = None


@dataclass(frozen=True, slots=True)
class TrackParts:
    """A track's file name."""

    title: str
    number: int | None
    artist: str | None


def quality(names: Iterable[str]) -> str:
    """Return 2160p, 1080p, 720p or 480p from the first name that tells, else `unknown`."""
    for name in names:
        for found, pattern in _QUALITIES:
            if pattern.search(name):
                return found
    return UNKNOWN_QUALITY


def tidy(text: Any) -> str | None:
    """Return a title as people write it: dots and underscores are spaces, no loose separators."""
    if not isinstance(text, str):
        return None
    spaced = re.sub(r"[._]+", " ", text) if " " not in text.strip() or "_" in text else text
    clean = re.sub(r"\s+", " ", spaced).strip(" -–~.,·|/[](){}【】")
    return clean or None


# --- movies ---------------------------------------------------------------------------------------------

_BRACKETED_YEAR = re.compile(rf"^(?P<title>.+?)[\s._]*[(\[（【](?P<year>{_YEAR})[)\]）】]")
# Of several years the last one counts: "2001 A Space Odyssey 1968", "Wonder Woman 1984 2020".
_LOOSE_YEAR = re.compile(rf"(?<=[\s._\-])({_YEAR})(?=$|[\s._\-\[(])")
_TWO_LANGUAGES = re.compile(r"^(?P<own>[^A-Za-z]*[\u3040-\u9fff][^A-Za-z]*?)\s+(?P<other>[A-Za-z].*)$")
_DISC_FOLDERS = frozenset({"bdmv", "stream", "video_ts"})


def title_with_year_in_brackets(name: str) -> tuple[str, int] | None:
    """Return title and year of `Title (2021) …`, the way media servers ask for."""
    match = _BRACKETED_YEAR.match(name)
    title = tidy(_without_leading_group(match["title"])) if match else None
    return (title, int(match["year"])) if match and title else None


def title_with_loose_year(name: str) -> tuple[str, int] | None:
    """Return title and year of `Title.2021.1080p…`."""
    for match in reversed(list(_LOOSE_YEAR.finditer(name))):
        title = tidy(_without_leading_group(name[: match.start()]))
        if title:
            return title, int(match[1])
    return None


def split_languages(title: str) -> tuple[str, str | None]:
    """Return a Chinese or Japanese title and the Latin one behind it: `流浪地球 The Wandering Earth`."""
    match = _TWO_LANGUAGES.match(title)
    return (match["own"].strip(), match["other"]) if match else (title, None)


def in_disc_folder(folders: Sequence[str]) -> bool:
    """Tell whether a file is part of a copied disc (BDMV, VIDEO_TS)."""
    return bool(folders) and folders[-1].casefold() in _DISC_FOLDERS


def above_disc_folder(folders: Sequence[str], stem: str) -> tuple[list[str], str]:
    """Return folders and name of the disc itself: its files are called 00001.m2ts."""
    kept = list(folders)
    while kept and kept[-1].casefold() in _DISC_FOLDERS:
        kept.pop()
    return (kept[:-1], kept[-1]) if kept else ([], stem)


def _without_leading_group(text: str) -> str:
    return re.sub(r"^\s*[\[【][^\]】]*[\]】]\s*(?=\S)", "", text)


# --- series ---------------------------------------------------------------------------------------------

_SEASON_FOLDER = re.compile(
    rf"^(?:(?:season|series|staffel|saison|temporada)[\s._-]*(?P<a>\d{{1,4}})|s(?P<b>\d{{1,4}})|"
    rf"第?\s*(?P<c>{_NUMBER})\s*季|(?P<special>specials?|特别篇|番外|ova|oad|sp))\b",
    re.IGNORECASE,
)
_SEASON_SUFFIX = re.compile(
    rf"[\s._\-]*(?:第\s*(?P<a>{_NUMBER})\s*[季期部]|{_LEFT}(?:season|s)[\s._]?(?P<b>\d{{1,2}})|"
    rf"{_LEFT}(?P<c>\d{{1,2}})(?:st|nd|rd|th)[\s._]season)\s*$",
    re.IGNORECASE,
)
_EPISODE_PATTERNS = (
    re.compile(
        rf"^(?P<t>.*?){_LEFT}S(?P<s>\d{{1,4}})[\s._-]*E(?:P)?(?P<e>\d{{1,4}})"
        rf"(?:[\s._]*-?[\s._]*EP?(?P<l>\d{{1,4}})|-(?P<m>\d{{1,3}}))?(?:v\d)?{_RIGHT}",
        re.IGNORECASE,
    ),
    re.compile(
        rf"^(?P<t>.*?){_LEFT}(?P<s>\d{{1,2}})x(?P<e>\d{{2,3}})(?:-(?:\d{{1,2}}x)?(?P<l>\d{{2,3}}))?{_RIGHT}",
        re.I,
    ),
    re.compile(
        rf"^(?P<t>.*?){_LEFT}Season[\s._]?(?P<s>\d{{1,2}})[\s._,-]+Episode[\s._]?(?P<e>\d{{1,3}}){_RIGHT}",
        re.I,
    ),
    re.compile(rf"^(?P<t>.*?)(?:第\s*(?P<s>{_NUMBER})\s*季)?[\s._\-]*第\s*(?P<e>{_NUMBER})\s*[集话話回]"),
    re.compile(
        rf"^(?P<t>.*?){_LEFT}(?:EP?|Episode)[\s._]?(?P<e>\d{{1,4}})"
        rf"(?:[\s._]*-[\s._]*EP?(?P<l>\d{{1,4}}))?{_RIGHT}",
        re.I,
    ),
    re.compile(rf"^(?P<t>)(?P<e>\d{{1,3}})(?=$|[\s._]*-|[\s._](?!{_YEAR}))"),
)


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


def episode_numbers(stem: str) -> Numbers | None:
    """Return season and episode of `S01E02`, `1x02`, `EP02`, `第2集`, `02 - …`; None when no rule fits."""
    for pattern in _EPISODE_PATTERNS:
        match = pattern.search(stem)
        if match:
            return _numbers_of(match)
    return None


def split_season(title: str) -> tuple[str, int | None]:
    """Cut `Season 2`, `2nd Season`, `S2` or `第二季` off the end of a title."""
    match = _SEASON_SUFFIX.search(title)
    if not match or not match.start():
        return title, None
    return tidy(title[: match.start()]) or title, number_of(match["a"] or match["b"] or match["c"])


def split_year(title: str) -> tuple[str, int | None]:
    """Cut a year off the end of a title: `Doctor Who (2005)`, `Archer.2009`."""
    match = re.search(rf"[\s._]*(?:[(\[（](?P<a>{_YEAR})[)\]）]?|(?<=[\s._])(?P<b>{_YEAR}))\s*$", title)
    rest = tidy(title[: match.start()]) if match else None
    if not match or not rest:
        return title, None
    return rest, int(match["a"] or match["b"])


def number_of(text: str) -> int | None:
    """Return a number written in digits or in Chinese (up to 999)."""
    if text.isdecimal():
        return int(text)
    total = digit = 0
    for character in text:
        if character in "十百":
            total, digit = total + (digit or 1) * (10 if character == "十" else 100), 0
        elif character in "零一二三四五六七八九":
            digit = "零一二三四五六七八九".index(character)
        elif character == "两":
            digit = 2
    return total + digit


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
    title, season_of_title = split_season(tidy(_without_leading_group(groups["t"])) or "")
    return Numbers(
        title,
        season_of_title if season is None else season,
        episode,
        last if last and last > episode else None,
    )


_TECHNICAL = re.compile(
    rf"{_LEFT}(?:S\d{{1,2}}(?:E\d+)?(?:-S?\d{{1,2}})?|2160p|1080[pi]|720p|480p|4K|UHD|BluRay|BDRip|WEB-?DL|WEBRip|"
    rf"HDTV|DVDRip|REMUX|Complete|全\s*\d+\s*[集话]){_RIGHT}.*$",
    re.IGNORECASE,
)


def _before_technical(folder: str) -> str:
    """Return the part of a release folder's name that is a title; a season in it stays."""
    cut = _TECHNICAL.search(folder)
    if not cut or not cut.start():
        return folder
    season = re.match(r"S(\d{1,2})(?!\d)", cut[0], re.IGNORECASE)
    return folder[: cut.start()] + (f" S{season[1]}" if season else "")


# --- anime ----------------------------------------------------------------------------------------------

_BRACKET = re.compile(r"[\[【(（]([^\[\]【】()（）]*)[\]】)）]")
_BARE_EPISODE = re.compile(
    r"^(?:EP?\.?|第)?\s*(?P<e>\d{1,4})(?:\.5)?(?:v\d)?\s*(?:[话話集回]|END|FIN|完)?$", re.IGNORECASE
)
_ENDING_EPISODE = re.compile(
    r"(?:\s+-\s+|\s*[_]-[_]\s*)(?:EP?\.?)?(?P<e>\d{1,4})(?:\.5)?(?:v\d)?(?:\s*(?:END|FIN))?\s*(?:-\s.*)?$",
    re.IGNORECASE,
)
_TECHNICAL_TAG = re.compile(
    r"^(?:[\dA-F]{8}|.*(?:\d{3,4}[pi]\b|\d{3,4}[x×]\d{3,4}|x26[45]|h\.?26[45]|hevc|avc|aac|flac|opus|web|bd|dvd|"
    r"hi10|10-?bit|8bit|ma10p|mp4|mkv|chs|cht|gb|big5|jpn?|jap|eng?|简|繁|字幕|字|内[封嵌]|招募|baha|cr\b|bilibili|"
    r"b-global|viutv|multi|dual|uncensored|v\d\b|tv|ncop|sub|srt|ass|\d+月新?番|国漫|国创|动漫).*)$",
    re.IGNORECASE,
)


def is_release_folder(folder: str) -> bool:
    """Tell whether a folder is called as a release is, `[Group] Title [1080p]`, not as a show."""
    return folder.lstrip().startswith(("[", "【"))


def fansub_release(stem: str) -> Release:
    """Return title and episode of `[Group] Title - 12v2 [1080p]` and `[Group][Title][12][GB]`."""
    numbers = _numbered(stem)
    if numbers and not re.match(r"^\s*[\[【]", stem):
        return Release(numbers.title or None, numbers.season, numbers.episode)
    text, tags = _outside_and_tags(stem)
    if text:
        return _release_of_text(text, tags)
    return _release_of_tags(tags)


def _numbered(text: str) -> Numbers | None:
    """Use the series' rules but the last, whose bare digits are years and titles in an anime name."""
    for pattern in _EPISODE_PATTERNS[:-1]:
        match = pattern.search(text)
        if match:
            return _numbers_of(match)
    return None


def _outside_and_tags(stem: str) -> tuple[str, list[str]]:
    """Return the text outside brackets, and the brackets but the first (the group)."""
    tags = [tag.strip() for tag in _BRACKET.findall(stem)]
    text = re.sub(r"\s+", " ", _BRACKET.sub(" ", re.sub(r"★[^★]*★", " ", stem)).replace("_", " ")).strip(" -")
    has_group = bool(re.match(r"^\s*[\[【]", stem))
    return text.strip("★☆ "), tags[1:] if has_group else tags


def _release_of_text(text: str, tags: list[str]) -> Release:
    numbers = _numbered(text)
    if numbers and numbers.title:
        return Release(numbers.title, numbers.season, numbers.episode, _tag_year(tags))
    ending = _ENDING_EPISODE.search(text) or re.search(r"\s(?P<e>\d{2,4})(?:v\d)?$", text)
    title, episode = text, _tag_episode(tags)
    if episode is None and ending and not re.search(rf"\s{_YEAR}$", text):
        title, episode = text[: ending.start()], int(ending["e"])
    elif episode is not None and ending is not None and int(ending["e"]) == episode:
        title = text[: ending.start()]
    name, season = split_season(tidy(title.strip(" -")) or "")
    return Release(name or None, season, episode, _tag_year(tags))


def _release_of_tags(tags: list[str]) -> Release:
    named = next((t for t in tags if not _BARE_EPISODE.match(t) and not _TECHNICAL_TAG.match(t)), None)
    if named is None:
        return Release(None, None, _tag_episode(tags))
    name, season = split_season(tidy(named) or "")
    return Release(name or None, season, _tag_episode(tags), _tag_year(tags))


def _tag_episode(tags: Iterable[str]) -> int | None:
    for tag in tags:
        match = _BARE_EPISODE.match(tag)
        if match and not re.fullmatch(_YEAR, tag):
            return int(match["e"])
    return None


def _tag_year(tags: Iterable[str]) -> int | None:
    return next((int(tag) for tag in tags if re.fullmatch(_YEAR, tag)), None)


# --- music ----------------------------------------------------------------------------------------------

_DISC = re.compile(r"^(?:cd|disc|disk|vol|碟)[\s._-]*\d{1,2}\b", re.IGNORECASE)
_TRACK_NUMBER = re.compile(r"^(?:\d{1,2}-)?(?P<n>\d{1,3})(?:\s*[-._]\s*|\s+)(?=\S)")


def artist_and_album(folders: Sequence[str]) -> tuple[str | None, str | None]:
    """Return artist and album of `Artist/Album/CD1` or `Artist - Album`; one plain folder is an artist."""
    named = [folder for folder in folders if not _DISC.match(folder)]
    if not named:
        return None, None
    if len(named) == 1:
        artist, dash, album = named[0].partition(" - ")
        return tidy(artist), _album(album) if dash else None
    artist, album = named[-2], named[-1]
    return tidy(artist), _album(album.removeprefix(f"{artist} - "))


def track_parts(stem: str) -> TrackParts:
    """Return title, number and artist of `03 - Title`, `03. Artist - Title`, `Artist - Title`."""
    number = _TRACK_NUMBER.match(stem)
    rest = stem[number.end() :] if number else stem
    artist, dash, title = rest.partition(" - ")
    name = tidy(title if dash else rest) or stem
    return TrackParts(name, int(number["n"]) if number else None, tidy(artist) if dash else None)


def _album(text: str) -> str | None:
    name = re.sub(rf"^[(\[]?{_YEAR}[)\]]?\s*[-.]?\s+(?=\S)", "", text.strip())
    name = re.sub(rf"\s*[(\[](?:{_YEAR}|FLAC|MP3|320k?|24bit.*|Hi-?Res)[)\]]", "", name, flags=re.IGNORECASE)
    return tidy(name) or tidy(text)
