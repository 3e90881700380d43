"""Cuts a text into the words that full-text search keeps, and a question into the words it looks for."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice

LONGEST = 64
MOST_SEAMS = 6  # more has no word, only a hash
# Scripts that put no spaces between words: Thai to Khmer, kana, bopomofo, Han, and Hangul, whose particles
# hang on its words. What is in here is kept in pairs of neighbours, so that any part of a sentence is found.
_DENSE = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u312f\u31a0-\u31bf\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
)
_SIGNS = "\u2190-\u2bff\U0001f000-\U0001faff"  # arrows to emoji: each one is a word
_INDIC = "\u0900-\u0dff"  # vowel signs there are part of the word, and \w does not know it
_PLAIN = rf"(?:[{_INDIC}]|(?![{_DENSE}])[^\W_])+"
_RUN = re.compile(rf"(?P<dense>[{_DENSE}]+)|(?P<sign>[{_SIGNS}])|(?P<plain>{_PLAIN})")
_ASCII = re.compile("[A-Za-z0-9]+")
_ACCENTS = re.compile("[\u0300-\u036f]")
# "S01E02" is also found as "e02", "x265" as "265", "qBittorrent" as "bittorrent".
_SEAM = re.compile(r"(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])|(?<=[a-z])(?=[A-Z])")


def words_of(*texts: str) -> list[str]:
    """Return every word once, in a fixed order; letter case, accents and width do not count.

    A plain word is kept whole and from each of its seams on. Of a run without spaces each pair of neighbours
    is kept and, by itself, its last character: so a question of one character is the start of a word too.
    """
    found: set[str] = set()
    for kind, run in set(_runs(" ".join(texts))):
        if kind == "plain":
            found.update(_forms(run[: LONGEST * 2]))
        else:
            found.update(run[place : place + 2] for place in range(len(run)))
    return sorted(found - {""})


def asked_words(question: str) -> list[tuple[str, bool]]:
    """Return the words that all have to be there, and of each whether it is only the start of one.

    Empty when there is nothing in it to search for.
    """
    found: dict[tuple[str, bool], None] = {}
    for kind, run in _runs(question):
        if kind == "plain":
            found[_folded(run[:LONGEST]), True] = None
        elif len(run) == 1:
            found[run, True] = None
        else:
            found.update(dict.fromkeys((run[place : place + 2], False) for place in range(len(run) - 1)))
    return [one for one in found if one[0]]


def _runs(text: str) -> Iterator[tuple[str, str]]:
    if text.isascii():
        yield from (("plain", run) for run in _ASCII.findall(text))
        return
    # One way of writing for what looks alike: full-width letters, ligatures, composed characters.
    for found in _RUN.finditer(unicodedata.normalize("NFKC", text)):
        yield str(found.lastgroup), found[0]


# The same few words come again and again.
@lru_cache(maxsize=4096)
def _forms(run: str) -> tuple[str, ...]:
    starts = (0, *(seam.start() for seam in islice(_SEAM.finditer(run), MOST_SEAMS)))
    return tuple(_folded(run[start : start + LONGEST]) for start in starts)


def _folded(word: str) -> str:
    if word.isascii():
        return word.lower()
    bare = _ACCENTS.sub("", unicodedata.normalize("NFD", word.casefold()))
    return unicodedata.normalize("NFC", bare)[:LONGEST]
