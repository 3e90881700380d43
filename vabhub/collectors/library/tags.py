"""Read what a sound file says of itself. Only the first bytes are read; a broken file says nothing."""

from __future__ import annotations

import re
from typing import Any

import mutagen

from vabhub.collectors.library.names import FileKind, ParsedName
from vabhub.log import get_logger

log = get_logger(__name__)

_LONGEST = 500
# The names of one thing: Vorbis' and mutagen's easy ones, ID3 in WAV and AIFF, APEv2, ASF.
_NAMES = {
    "albumartist": ("albumartist", "album artist", "tpe2", "wm/albumartist"),
    "artist": ("artist", "tpe1", "author"),
    "album": ("album", "talb", "wm/albumtitle"),
    "title": ("title", "tit2"),
    "date": ("date", "year", "tdrc", "wm/year"),
    "discnumber": ("discnumber", "disc", "tpos", "wm/partofset"),
    "tracknumber": ("tracknumber", "track", "trck", "wm/tracknumber"),
}


def with_tags(name: ParsedName, path: str) -> ParsedName:
    """Return what the tags say, and where they say nothing what the path said."""
    if name.kind is not FileKind.TRACK:
        return name
    tags, detail = _read(path)
    artist = _text(tags, "albumartist") or _text(tags, "artist")
    track_artist = _text(tags, "artist")
    if track_artist and track_artist != artist:
        detail["track_artist"] = track_artist
    return ParsedName(
        FileKind.TRACK,
        _text(tags, "title") or name.title,
        year=_number(tags, "date", least=1000) or name.year,
        season=_number(tags, "discnumber") or name.season,
        episode=_number(tags, "tracknumber") or name.episode,
        artist=artist or name.artist,
        album=_text(tags, "album") or name.album,
        detail=name.detail | detail,
    )


def _read(path: str) -> tuple[dict[str, Any], dict[str, Any]]:
    try:
        file = mutagen.File(path, easy=True)
    # Whatever a broken file does to its parser is the file's fault: the path still says what it is.
    except (
        mutagen.MutagenError,
        OSError,
        ValueError,
        KeyError,
        IndexError,
        OverflowError,
        MemoryError,
    ) as error:
        log.info("library.tags_unreadable", error=type(error).__name__)
        return {}, {}
    if file is None:
        return {}, {}
    length = getattr(file.info, "length", None)
    detail = {"duration_s": round(length, 1)} if isinstance(length, int | float) and length > 0 else {}
    # ASF's tags are a list with keys() of its own.
    return {key.casefold(): file.tags[key] for key in (file.tags or {}).keys()}, detail  # noqa: SIM118


def _text(tags: dict[str, Any], name: str) -> str | None:
    values = next((tags[one] for one in _NAMES[name] if tags.get(one)), "")
    first = values[0] if isinstance(values, list) and values else values
    # Neither database takes U+0000 everywhere, nor half of a surrogate pair.
    text = str(first or "").replace("\x00", "").encode("utf-8", "replace").decode("utf-8").strip()
    return text[:_LONGEST] or None


def _number(tags: dict[str, Any], name: str, *, least: int = 1) -> int | None:
    match = re.match(r"\d{1,4}", _text(tags, name) or "")
    return int(match[0]) if match and int(match[0]) >= least else None
