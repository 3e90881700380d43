"""Fits text to what a provider can carry: cleaned, cut and split without tearing a character."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable

ELLIPSIS = "…"

Measure = Callable[[str], int]

# C0 and C1 controls but tab and newline: no provider shows them, and several refuse a text that has them.
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_SURROGATES = re.compile(r"[\ud800-\udfff]")
_NEWLINES = re.compile(r"\r\n?|\u2028|\u2029")
# Where a text may be split, the best first: behind a paragraph, a line, a sentence, a word.
_BREAKS = (
    re.compile(r"\n[ \t]*\n"),
    re.compile(r"\n"),
    re.compile(r"[。！？；…]+[”’」』）]*|[.!?;]+[\"')]*(?=\s)"),
    re.compile(r"[，、：]|\s"),
)
_JOINER = "\u200d"


def clean(text: str) -> str:
    """Return `text` with one kind of newline, without control characters, lone surrogates as U+FFFD."""
    text = _NEWLINES.sub("\n", text)
    return _SURROGATES.sub("\ufffd", _CONTROLS.sub("", text))


def one_line(text: str) -> str:
    """Return `text` cleaned, on one line."""
    return " ".join(clean(text).split())


def characters(text: str) -> int:
    """Return the length in code points."""
    return len(text)


def utf16_units(text: str) -> int:
    """Return the length as Telegram and JavaScript count it: 2 for an emoji."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def utf8_bytes(text: str) -> int:
    """Return the length in bytes of UTF-8: 3 for a Chinese character."""
    return len(text.encode("utf-8", "surrogatepass"))


def json_bytes(text: str) -> int:
    """Return the bytes that a text takes within JSON: 2 for a quote or a newline."""
    return len(json.dumps(text, ensure_ascii=False).encode("utf-8", "surrogatepass")) - 2


def cut(text: str, size: int, measure: Measure) -> str:
    """Return `text` in at most `size`, with … where something is missing."""
    if not _exceeds(text, size, measure):
        return text
    room = size - measure(ELLIPSIS)
    return text[: _whole(text, _fits(text, room, measure))].rstrip() + ELLIPSIS if room >= 0 else ""


def cut_utf8(text: str, size_bytes: int) -> str:
    """Return `text` in at most `size_bytes` bytes of UTF-8, with … where something is missing."""
    return cut(_SURROGATES.sub("?", text), size_bytes, utf8_bytes)


def split(text: str, size: int, measure: Measure) -> list[str]:
    """Return `text` in parts of at most `size`, split behind a paragraph, line, sentence or word.

    What stands between two parts is white space only. Characters that are drawn as one (an emoji with its
    skin, a letter with its accents) stay together unless one alone is larger than `size`.
    """
    parts = []
    while _exceeds(text, size, measure):
        most = max(_fits(text, size, measure), 1)
        at = _sensible(text, _whole(text, most) or most)
        parts.append(text[:at].rstrip())
        text = text[at:].lstrip()
    return [part for part in (*parts, text) if part] or [""]


def _sensible(text: str, end: int) -> int:
    """Return the best place to split in the last two thirds of `text[:end]`, or `end` if there is none."""
    for pattern in _BREAKS:
        # One character more: white space behind the end is a place, too.
        found = [min(match.end(), end) for match in pattern.finditer(text, end // 3, end + 1)]
        if found:
            return found[-1]
    return end


def _exceeds(text: str, size: int, measure: Measure) -> bool:
    # No measure counts less than one for a code point, which spares measuring what is long.
    return len(text) > size or measure(text) > size


def _fits(text: str, size: int, measure: Measure) -> int:
    """Return how many code points from the start fit into `size`."""
    fits, too_many = 0, min(len(text), max(size, 0)) + 1
    while too_many - fits > 1:
        middle = (fits + too_many) // 2
        if measure(text[:middle]) <= size:
            fits = middle
        else:
            too_many = middle
    return fits


def _whole(text: str, end: int) -> int:
    """Return the nearest place at or before `end` that tears no character (the gist of Unicode TR 29)."""
    while 0 < end < len(text) and _joined(text, end):
        end -= 1
    return end


def _joined(text: str, at: int) -> bool:
    before, here = text[at - 1], text[at]
    if here < "\u0300":
        return False
    if _JOINER in (before, here) or _extends(here):
        return True
    return _is_flag(here) and _flags_before(text, at) % 2 == 1


def _extends(char: str) -> bool:
    return (
        unicodedata.category(char) in {"Mn", "Me", "Mc"}
        or "\U0001f3fb" <= char <= "\U0001f3ff"  # skins
        or "\U000e0020" <= char <= "\U000e007f"  # flags of regions
        or "\u1160" <= char <= "\u11ff"  # a Hangul syllable written in letters
    )


def _flags_before(text: str, at: int) -> int:
    first = at
    while first and _is_flag(text[first - 1]):
        first -= 1
    return at - first


def _is_flag(char: str) -> bool:
    return "\U0001f1e6" <= char <= "\U0001f1ff"
