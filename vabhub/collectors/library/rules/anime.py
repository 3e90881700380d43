"""Anime: what fansub groups write in and around brackets."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from vabhub.collectors.library.rules.series import marked_numbers, split_season
from vabhub.collectors.library.rules.text import YEAR, tidy


@dataclass(frozen=True, slots=True)
class Release:
    """A fansub release's name."""

    title: str | None
    season: int | None
    episode: int | None
    year: int | None = None


_BRACKET = re.compile(r"[\[【(（]([^\[\]【】()（）]*)[\]】)）]")
_BARE_EPISODE = re.compile(
    r"^(?:EP?\.?|第)?\s*(?P<e>\d{1,4})(?:\.5)?(?:v\d)?\s*(?:[话話集回]|END|FIN|完)?$", re.IGNORECASE
)
_ENDING_EPISODE = re.compile(
    r"(?:\s+-\s+|\s*[_]-[_]\s*)(?:EP?\.?)?(?P<e>\d{1,4})(?:\.5)?(?:v\d)?(?:\s*(?:END|FIN|RAW))?\s*(?:-\s.*)?$",
    re.IGNORECASE,
)
# Words stand between other signs: "ass" is a subtitle format, "Assassination Classroom" a title.
_TECHNICAL_TAG = re.compile(
    r"^[\dA-F]{8}$|\d{3,4}[pi](?![a-z])|\d{3,4}[x×]\d{3,4}|\d+月新?番|"
    r"(?<![a-z])(?:x26[45]|h\.?26[45]|hevc|avc|aac|flac|opus|web(?:-?dl|-?rip)?|bd(?:rip|mv)?|dvd(?:rip)?|"
    r"hi10p?|10-?bits?|8-?bits?|ma10p|mp4|mkv|chs|cht|sc|tc|gb|big5|jpn?|jap|en|eng|baha|cr|bilibili|"
    r"b-global|viutv|multi|dual|uncensored|v\d|tv|subs?|srt|ass)(?![a-z])|"
    r"[简簡繁][体體中日英繁]|双语|字幕|[内內][封嵌]|招募|[国國][漫创創]|动漫|動漫",
    re.IGNORECASE,
)


def is_release_folder(folder: str) -> bool:
    """Tell whether a folder is called as a release is, `[Group] Title [1080p]`, not as a show."""
    return folder.lstrip().startswith(("[", "【"))


def fansub_release(stem: str) -> Release:
    """Return title and episode of `[Group] Title - 12v2 [1080p]` and `[Group][Title][12][GB]`."""
    numbers = marked_numbers(stem)
    if numbers and not re.match(r"^\s*[\[【]", stem):
        return Release(numbers.title or None, numbers.season, numbers.episode)
    text, tags = _outside_and_tags(stem)
    if text:
        return _release_of_text(text, tags)
    return _release_of_tags(tags)


def _outside_and_tags(stem: str) -> tuple[str, list[str]]:
    """Return the text outside brackets, and the brackets but the first (the group)."""
    stem = re.sub(r"(\[[^\]]*?)\([^()]*\)", r"\1", stem)  # "[720p Sub(Ch,Jap)]" is one tag
    tags = [tag.strip() for tag in _BRACKET.findall(stem)]
    text = re.sub(
        r"\s+",
        " ",
        _BRACKET.sub(" ", re.sub(r"★[^★]*★|[★☆]?\d{1,2}月新?番[★☆]?", " ", stem)).replace("_", " "),
    ).strip(" -")
    has_group = bool(re.match(r"^\s*[\[【]", stem))
    return text.strip("★☆ "), tags[1:] if has_group else tags


def _release_of_text(text: str, tags: list[str]) -> Release:
    numbers = marked_numbers(text)
    if numbers and numbers.title:
        return Release(numbers.title, numbers.season, numbers.episode, _tag_year(tags))
    ending = _ENDING_EPISODE.search(text) or re.search(r"\s(?P<e>\d{2,4})(?:v\d)?$", text)
    title, episode = text, _tag_episode(tags)
    if episode is None and ending and not re.search(rf"\s{YEAR}$", text):
        title, episode = text[: ending.start()], int(ending["e"])
    elif episode is not None and ending is not None and int(ending["e"]) == episode:
        title = text[: ending.start()]
    name, season = split_season(tidy(title.strip(" -")) or "")
    return Release(name or None, season, episode, _tag_year(tags))


def _release_of_tags(tags: list[str]) -> Release:
    named = next((t for t in tags if not _BARE_EPISODE.match(t) and not _TECHNICAL_TAG.search(t)), None)
    if named is None:
        return Release(None, None, _tag_episode(tags))
    name, season = split_season(tidy(named) or "")
    return Release(name or None, season, _tag_episode(tags), _tag_year(tags))


def _tag_episode(tags: Iterable[str]) -> int | None:
    for tag in tags:
        match = _BARE_EPISODE.match(tag)
        if match and not re.fullmatch(YEAR, tag):
            return int(match["e"])
    return None


def _tag_year(tags: Iterable[str]) -> int | None:
    return next((int(tag) for tag in tags if re.fullmatch(YEAR, tag)), None)
