"""Cutting and splitting: whole characters, sensible places, nothing lost."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as some

from vabhub.channels.text import (
    Measure,
    characters,
    clean,
    cut,
    json_bytes,
    one_line,
    split,
    utf8_bytes,
    utf16_units,
)

MEASURES = (characters, utf16_units, utf8_bytes, json_bytes)
FAMILY, FLAG, THUMB = "👨‍👩‍👧‍👦", "🇨🇳", "👍🏽"
TEXTS = some.lists(
    some.sampled_from(["a", " ", "\n", ".", "。", "界", "é", "e\u0301", FAMILY, FLAG, THUMB, "\u202e", "ع"]),
    max_size=300,
).map("".join) | some.text(max_size=300)


@given(TEXTS, some.integers(30, 200), some.sampled_from(MEASURES))
def test_every_part_fits_and_nothing_but_white_space_is_lost(text: str, size: int, measure: Measure) -> None:
    parts = split(text, size, measure)
    assert all(measure(part) <= size for part in parts)
    assert "".join("".join(parts).split()) == "".join(text.split())


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("one", [FAMILY, FLAG, THUMB, "e\u0301\u0323", "界", "한"])
def test_what_is_drawn_as_one_stays_together(one: str, measure: Measure) -> None:
    for part in split(one * 100, 64, measure):
        assert part.replace(one, "") == ""


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("One paragraph.\n\nAnother one that is long.", "One paragraph."),
        ("One line of it\nanother line is longer", "One line of it"),
        ("It ends here. The next is a longer one", "It ends here."),
        ("第一句话在这里结束了。第二句话要长得多很多很多很多很多", "第一句话在这里结束了。"),
        ("several words without one full stop at all", "several words without one"),
        ("v1.2.3 of a.very.long.name.that.has.no.space", "v1.2.3 of"),
        ("x" * 50, "x" * 25),
    ],
)
def test_a_text_is_split_at_a_sensible_place(text: str, first: str) -> None:
    assert split(text, 25, characters)[0] == first


def test_a_character_larger_than_a_part_is_torn_rather_than_lost() -> None:
    pile = "e" + "\u0301" * 100
    assert "".join(split(pile, 30, characters)) == pile


def test_cutting_says_that_something_is_missing() -> None:
    assert cut("abcdef", 6, characters) == "abcdef"
    assert cut("abcdefg", 6, characters) == "abcde…"
    assert cut("界界界", 8, utf8_bytes) == "界…"
    assert cut(FAMILY * 2, 12, utf16_units) == FAMILY + "…"


@given(some.text(some.characters(), max_size=200))
def test_a_clean_text_can_be_written_anywhere(text: str) -> None:
    cleaned = clean(text + "\ud800\x00\x1b")
    cleaned.encode()
    controls = {char for char in cleaned if unicodedata.category(char) == "Cc"}
    assert controls <= {"\n", "\t"}


def test_a_title_is_one_line() -> None:
    assert one_line(" a\r\nb\tc\u2028d ") == "a b c d"
