"""Numbers as people read them, the same as static/js/format.js writes them. Unknown is "–", never 0."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

UNKNOWN = "–"
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
_THIN = "\u202f"
_SPACE = "\u00a0"


@dataclass(frozen=True, slots=True)
class Parts:
    """A number taken apart, so that its fraction and its unit can be drawn smaller."""

    whole: str
    fraction: str = ""
    unit: str = ""

    def __str__(self) -> str:
        return f"{self.whole}{self.fraction}{_SPACE}{self.unit}" if self.unit else self.whole + self.fraction


def is_number(value: object) -> bool:
    """Return whether this is a number that can be drawn."""
    return isinstance(value, int | float) and not isinstance(value, bool) and value == value  # noqa: PLR0124


def percent_parts(value: Any) -> Parts:
    """Return a percentage with one decimal."""
    if not is_number(value):
        return Parts(UNKNOWN)
    whole, _, fraction = f"{value:.1f}".partition(".")
    return Parts(whole, f".{fraction}", "%")


def size_parts(size_bytes: Any, per: str = "") -> Parts:
    """Return a size with three figures, in units of 1024."""
    if not is_number(size_bytes):
        return Parts(UNKNOWN)
    value, step = float(size_bytes), 0
    # 999.5 would be written as 1000: the next unit reads better and is never wider.
    while abs(value) >= 999.5 and step < len(_UNITS) - 1:
        value, step = value / 1024, step + 1
    decimals = 0 if step == 0 or abs(value) >= 99.95 else 1 if abs(value) >= 9.995 else 2
    whole, dot, fraction = f"{value:.{decimals}f}".partition(".")
    return Parts(whole, dot + fraction, _UNITS[step] + per)


def rate_parts(bytes_per_s: Any) -> Parts:
    """Return bytes per second with three figures."""
    return size_parts(bytes_per_s, "/s")


def percent(value: Any) -> str:
    """Return a percentage as one text."""
    return str(percent_parts(value))


def size(size_bytes: Any) -> str:
    """Return a size as one text."""
    return str(size_parts(size_bytes))


def rate(bytes_per_s: Any) -> str:
    """Return bytes per second as one text."""
    return str(rate_parts(bytes_per_s))


def gib_parts(value: Any) -> Parts:
    """Return a size that is given in GiB."""
    return size_parts(value * 1024**3 if is_number(value) else None)


def size_of(used_bytes: Any, total_bytes: Any) -> str:
    """Return "used / total"."""
    if not is_number(used_bytes) or not is_number(total_bytes):
        return UNKNOWN
    return f"{size(used_bytes)} / {size(total_bytes)}"


def gib_of(used: Any, total: Any) -> str:
    """Return "used / total" of two sizes in GiB."""
    known = is_number(used) and is_number(total)
    return size_of(used * 1024**3, total * 1024**3) if known else UNKNOWN


def number(value: Any) -> str:
    """Return a count, grouped by thousands."""
    return f"{round(value):,}".replace(",", _THIN) if is_number(value) else UNKNOWN


def per_s(value: Any) -> str:
    """Return how often something happens."""
    return f"{value:.{2 if value < 1 else 1}f}{_SPACE}/s" if is_number(value) else UNKNOWN


def load(value: Any) -> str:
    """Return a load average."""
    return f"{value:.2f}" if is_number(value) else UNKNOWN


def duration(seconds: Any) -> str:
    """Return a remaining time as h:mm:ss or m:ss, days as "3d 04h"."""
    if not is_number(seconds) or seconds < 0:
        return UNKNOWN
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours >= 24:
        return f"{hours // 24}d {hours % 24:02d}h"
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def took(milliseconds: Any) -> str:
    """Return how long something took: milliseconds below a second, seconds with one decimal above."""
    if not is_number(milliseconds):
        return UNKNOWN
    if milliseconds < 999.5:
        return f"{math.floor(milliseconds + 0.5)}{_SPACE}ms"
    return f"{milliseconds / 1000:.1f}{_SPACE}s"


def level(value: Any) -> str:
    """Return how full something is: "", "warn" from 85 %, "bad" from 95 %."""
    if not is_number(value) or value < 85:
        return ""
    return "bad" if value >= 95 else "warn"
