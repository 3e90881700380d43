"""Films: title and year."""

from __future__ import annotations

import re
from collections.abc import Sequence

from vabhub.collectors.library.rules.text import YEAR, tidy, without_leading_group

_BRACKETED_YEAR = re.compile(rf"^(?P<title>.+?)[\s._]*[(\[（【](?P<year>{YEAR})[)\]）】]")
# Of several years the last one counts: "2001 A Space Odyssey 1968", "Wonder Woman 1984 2020".
_LOOSE_YEAR = re.compile(rf"(?<=[\s._\-])({YEAR})(?=$|[\s._\-\[(])")


_DISC_FOLDERS = frozenset({"bdmv", "stream", "video_ts"})


def title_with_year_in_brackets(name: str) -> tuple[str, int] | None:
    """Return title and year of `Title (2021) …`, the way media servers ask for."""
    match = _BRACKETED_YEAR.match(name)
    title = tidy(without_leading_group(match["title"])) if match else None
    return (title, int(match["year"])) if match and title else None


def title_with_loose_year(name: str) -> tuple[str, int] | None:
    """Return title and year of `Title.2021.1080p…`."""
    for match in reversed(list(_LOOSE_YEAR.finditer(name))):
        title = tidy(_without_notes(without_leading_group(name[: match.start()])))
        if title:
            return title, int(match[1])
    return None


def _without_notes(text: str) -> str:
    """Cut out `[国语配音]`, what a Chinese release says of its sound in the middle of the title."""
    return re.sub(r"\[[^\]]*[语語字配音版][^\]]*\]", "", text) or text


def in_disc_folder(folders: Sequence[str]) -> bool:
    """Tell whether a file is part of a copied disc (BDMV, VIDEO_TS)."""
    return bool(folders) and folders[-1].casefold() in _DISC_FOLDERS


def above_disc_folder(folders: Sequence[str], stem: str) -> tuple[list[str], str]:
    """Return folders and name of the disc itself: its files are called 00001.m2ts."""
    kept = list(folders)
    while kept and kept[-1].casefold() in _DISC_FOLDERS:
        kept.pop()
    return (kept[:-1], kept[-1]) if kept else ([], stem)
