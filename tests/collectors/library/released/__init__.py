"""More labelled names, a text file a kind: `path | …` with the fields that READ_AS names, `-` for none.

The names in `seen_*` were there when the rules were tuned; those in `held_out_*` were written before and
left alone. Who tunes the rules by a name of the held-out part has to move it to the other.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

Labelled = tuple[str, str, dict[str, Any]]

READ_AS = {
    "movies": ("movie", ("title", "year", "quality")),
    "tv": ("episode", ("title", "season", "episode", "quality")),
    "anime": ("anime", ("title", "season", "episode", "quality")),
    "music": ("track", ("artist", "album", "title")),
}
_NUMBERS = {"year", "season", "episode"}


def released(part: str) -> list[Labelled]:
    """Return the names of `seen` or `held_out` as (root kind, path, expected fields)."""
    return [_labelled(root_kind, line) for root_kind in READ_AS for line in _lines(part, root_kind)]


def _lines(part: str, root_kind: str) -> list[str]:
    return (Path(__file__).parent / f"{part}_{root_kind}.txt").read_text(encoding="utf-8").splitlines()


def _labelled(root_kind: str, line: str) -> Labelled:
    kind, names = READ_AS[root_kind]
    path, *values = line.split(" | ")
    fields = {name: _value(name, value) for name, value in zip(names, values, strict=True)}
    return root_kind, path, {"kind": kind, **fields}


def _value(name: str, text: str) -> str | int | None:
    if text == "-":
        return None
    return int(text) if name in _NUMBERS else text
