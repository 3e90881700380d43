"""What all names share: quality, years, numbers, languages, and titles as people write them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

LEFT = r"(?:^|(?<=[\s._\-\[\](){}【】,&+]))"
RIGHT = r"(?:$|(?=[\s._\-\[\](){}【】,&+]))"
YEAR = r"(?:19[0-9]\d|20[0-4]\d)"
NUMBER = r"\d{1,4}|[零一二两三四五六七八九十百]{1,4}"

UNKNOWN_QUALITY = "unknown"

_QUALITIES = (
    ("2160p", re.compile(rf"{LEFT}(?:(?:U?HD)?2160[pi]|4K|UHD|3840[x×]2160){RIGHT}", re.IGNORECASE)),
    (
        "1080p",
        re.compile(
            rf"{LEFT}(?:(?:HD|BD)?1080[pi](?:\d\d)?|(?:1920|1440)[x×]10\d\dp?|FHD){RIGHT}", re.IGNORECASE
        ),
    ),
    ("720p", re.compile(rf"{LEFT}(?:(?:HD|BD)?720[pi](?:\d\d)?|1280[x×]7[0-9]\d){RIGHT}", re.IGNORECASE)),
    (
        "480p",
        re.compile(rf"{LEFT}(?:480[pi]|576[pi]|DVD(?:Rip|5|9|-?R)?|720x(?:480|576)){RIGHT}", re.IGNORECASE),
    ),
)


_LOOSE = " -–~.,·|/"
_PAIRS = (("[", "]"), ("(", ")"), ("{", "}"), ("【", "】"))
# What media servers write into names to know them by: [imdb-tt0903747], {tmdb-27205}, [tvdbid=81189].
_ID = re.compile(
    r"\s*[\[{](?:imdb|tmdb|tvdb|anidb)(?:id)?[-=][\w]+[\]}]|^tt\d{7,8}[\s._-]+(?=\S)", re.IGNORECASE
)
_SITE = re.compile(
    r"^[^\s.\[\]]{0,10}www\.[\w-]{1,40}\.(?:com|net|org|cc|tv|me|la)[\s._-]+(?=\S)", re.IGNORECASE
)
_TWO_LANGUAGES = re.compile(r"^(?P<own>[^A-Za-z]*[\u3040-\u9fff][^A-Za-z]*?)\s+(?P<other>[A-Za-z].*)$")


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
    clean = _unpaired(re.sub(r"\s+", " ", spaced).strip(_LOOSE))
    return clean or None


def _unpaired(text: str) -> str:
    """Cut brackets off both ends that belong to nothing: `Title (` and `(Title`, but not `Title (Live)`."""
    for left, right in _PAIRS:
        while text.endswith(left) or (text.endswith(right) and text.count(right) > text.count(left)):
            text = text[:-1].strip(_LOOSE)
        while text.startswith(right) or (text.startswith(left) and text.count(left) > text.count(right)):
            text = text[1:].strip(_LOOSE)
        if text.startswith(left) and text.endswith(right) and text.count(left) == 1:
            text = text[1:-1].strip(_LOOSE)
    return text


def split_year(title: str) -> tuple[str, int | None]:
    """Cut a year off the end of a title: `Doctor Who (2005)`, `Archer.2009`."""
    match = re.search(rf"[\s._]*(?:[(\[（](?P<a>{YEAR})[)\]）]?|(?<=[\s._])(?P<b>{YEAR}))\s*$", title)
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


def split_languages(title: str) -> tuple[str, str | None]:
    """Return a Chinese or Japanese title and the Latin one behind it: `流浪地球 The Wandering Earth`."""
    match = _TWO_LANGUAGES.match(title)
    return (match["own"].strip(), match["other"]) if match else (title, None)


def without_ids(text: str) -> str:
    """Cut out what media servers know a name by."""
    return _ID.sub("", text)


def without_leading_group(text: str) -> str:
    """Cut a site's address and the `[Group]` off the front of a name, unless nothing is left."""
    text = _SITE.sub("", text)
    return re.sub(r"^\s*[\[【][^\]】]*[\]】]\s*(?=\S)", "", text)
