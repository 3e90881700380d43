"""Music: artist and album from folders, title and number from the name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from vabhub.collectors.library.rules.text import YEAR, tidy


@dataclass(frozen=True, slots=True)
class TrackParts:
    """A track's file name."""

    title: str
    number: int | None
    artist: str | None


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
    # A bare year in front can be the title: "1989 (Taylor's Version)".
    name = re.sub(rf"^(?:[(\[]{YEAR}[)\]]\s*[-.]?|{YEAR}\s*[-.])\s*(?=\S)", "", text.strip())
    name = re.sub(rf"\s*[(\[](?:{YEAR}|FLAC|MP3|320k?|24bit.*|Hi-?Res)[)\]]", "", name, flags=re.IGNORECASE)
    return tidy(name) or tidy(text)
