"""Read one field of a client's answer; what is missing, of a wrong type or a lie becomes null."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from vabhub.clock import isoformat

MIB = 1024 * 1024
_LONGEST_TEXT = 1000
_DECIMAL = re.compile(r"\d{1,18}(\.\d{1,9})?")


def number(value: Any) -> float | int | None:
    """Return a number that a 64-bit field can hold, or None for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    # NaN and the infinities are valid to Python's JSON reader.
    return value if abs(value) < 2**63 else None


def whole(value: Any) -> int | None:
    """Return a whole number ≥ 0, or None for anything else."""
    found = number(value)
    return None if found is None or found < 0 else int(found)


def written(value: Any) -> float | int | None:
    """Return a number ≥ 0 that may be written as text, as aria2 and SABnzbd write all of theirs."""
    if isinstance(value, str):
        value = value.strip()
        if not _DECIMAL.fullmatch(value):
            return None
        return number(float(value) if "." in value else int(value))
    found = number(value)
    return None if found is None or found < 0 else found


def fraction(value: Any) -> float | None:
    """Return a share between 0 and 1."""
    found = number(value)
    return None if found is None or not 0 <= found <= 1 else round(float(found), 4)


def share(done: int | None, total: int | None) -> float | None:
    """Return `done` of `total` as a share between 0 and 1."""
    return None if done is None or not total or not 0 <= done <= total else round(done / total, 4)


def ratio(value: Any) -> float | None:
    """Return what was uploaded by what was downloaded; clients write -1 and -2 for "none"."""
    found = number(value)
    return None if found is None or found < 0 else round(float(found), 3)


def moment(value: Any) -> str | None:
    """Return seconds since 1970 as ISO-8601; 0 is no moment."""
    seconds = whole(value)
    if not seconds:
        return None
    try:
        return isoformat(datetime.fromtimestamp(seconds, UTC))
    except (OverflowError, ValueError, OSError):
        return None


def text(value: Any) -> str | None:
    """Return text that can be stored and sent, or None.

    A name that is no UTF-8 can come as half a surrogate pair, which no database and no socket takes.
    """
    if not isinstance(value, str):
        return None
    clean = value.encode("utf-8", "replace").decode().replace("\x00", "")
    return clean[:_LONGEST_TEXT] or None


def mapped(value: Any) -> dict[str, Any]:
    """Return an object of the answer, an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def listed(value: Any) -> list[Any]:
    """Return a list of the answer, an empty one for anything else."""
    return value if isinstance(value, list) else []
