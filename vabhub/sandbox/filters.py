"""The filters that a template may use, each paying for what it makes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from functools import wraps
from typing import Any

from jinja2 import Undefined
from jinja2.filters import FILTERS

from vabhub import clock
from vabhub.sandbox.budget import LONGEST_LIST, LONGEST_RANGE, LONGEST_TEXT_CHARACTERS, current
from vabhub.sandbox.faults import OverBudget
from vabhub.sandbox.syntax import CONCAT, EACH

# Left out: what builds text of any width (center, indent, format), nests lists (batch, groupby, slice),
# writes HTML (each channel escapes for itself), or answers differently every time (random).
_OF_JINJA = [
    "abs",
    "capitalize",
    "count",
    "d",
    "default",
    "dictsort",
    "first",
    "float",
    "int",
    "items",
    "last",
    "length",
    "list",
    "lower",
    "map",
    "max",
    "min",
    "reject",
    "rejectattr",
    "reverse",
    "round",
    "select",
    "selectattr",
    "sort",
    "striptags",
    "title",
    "trim",
    "truncate",
    "unique",
    "upper",
    "wordcount",
]
# They do their work only when somebody takes the items: a chain of them would cost one step each.
_LAZY = frozenset({"map", "reject", "rejectattr", "select", "selectattr", "unique"})
_LARGEST_ARGUMENT = 10_000
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
SCALAR = (str, int, float, bool, type(None), datetime)


def scalar_text(value: Any) -> str:
    """Return a text or a number as it is written; a list or an object is refused, since it may be huge."""
    if isinstance(value, Undefined):
        return str(value)  # raises, and says what is undefined
    if value is None:
        return ""
    if isinstance(value, datetime):
        return time(value)
    if not isinstance(value, SCALAR):
        raise TypeError("a list or an object cannot be written as it is: use join or tojson")
    return str(value)


def size(value: Any) -> str:
    """Return bytes as `1.5 GiB`."""
    number, step = float(value), 0
    while abs(number) >= 1024 and step < len(_UNITS) - 1:
        number, step = number / 1024, step + 1
    return f"{number:.0f} B" if step == 0 else f"{number:.1f} {_UNITS[step]}"


def duration(value: Any) -> str:
    """Return seconds as `1:02:03` or `2:03`."""
    minutes, seconds = divmod(round(float(value)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


def time(value: Any) -> str:
    """Return a time (also one written as ISO 8601) as the server's clock shows it."""
    moment = value if isinstance(value, datetime) else clock.parse_iso(str(value))
    return moment.astimezone().strftime("%Y-%m-%d %H:%M")


def join(value: Iterable[Any], separator: str = "", attribute: str | None = None) -> str:
    """Return the items as one text."""
    parts = [scalar_text(_attribute(item, attribute)) for item in _each(value)]
    current().make(sum(map(len, parts)) + len(str(separator)) * max(0, len(parts) - 1))
    return str(separator).join(parts)


def replace(value: Any, old: str, new: str, count: int | None = None) -> str:
    """Return the text with `old` replaced."""
    text, found, by = scalar_text(value), scalar_text(old), scalar_text(new)
    times = text.count(found) if count is None else min(text.count(found), max(count, 0))
    current().make(len(text) + times * max(0, len(by) - len(found)))
    return text.replace(found, by, -1 if count is None else max(count, 0))


def tojson(value: Any) -> str:
    """Return the value as JSON."""
    text = ""
    for piece in json.JSONEncoder(ensure_ascii=False, default=scalar_text).iterencode(value):
        current().step()
        text += piece
        if len(text) > LONGEST_TEXT_CHARACTERS:
            raise OverBudget("the JSON is too long")
    return text


def total(value: Iterable[Any]) -> int | float:
    """Return the sum of numbers."""
    found: int | float = 0
    for item in _each(value):
        if not isinstance(item, int | float):
            raise TypeError("sum takes numbers")
        found += item
    return found


def bounded_range(*numbers: int) -> range:
    """Return a range of at most a thousand numbers."""
    found = range(*numbers)
    if len(found) > LONGEST_RANGE:
        raise OverBudget(f"range() gives at most {LONGEST_RANGE:,} numbers")
    return found


def paying(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the filter with a meter on it."""
    before_arguments = 2 if hasattr(function, "jinja_pass_arg") else 1

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        current().step()
        for given in (*args[before_arguments:], *kwargs.values()):
            if isinstance(given, int) and abs(given) > _LARGEST_ARGUMENT and name not in {"default", "d"}:
                raise OverBudget(f"{name} takes numbers up to {_LARGEST_ARGUMENT:,}")
        if name in _LAZY:
            args = _metered(args, before_arguments - 1)
        made = function(*args, **kwargs)
        if isinstance(made, str | list | tuple):
            current().make(len(made))
        return made

    return call


def _metered(args: tuple[Any, ...], at: int) -> tuple[Any, ...]:
    """Let each item that a lazy filter will take be paid for; a filter says itself what is no list."""
    value = args[at]
    if isinstance(value, str | Undefined) or not isinstance(value, Iterable):
        return args
    return (*args[:at], _each(value), *args[at + 1 :])


def _each(value: Iterable[Any]) -> Iterator[Any]:
    for item in value:
        current().step()
        yield item


def _concat(parts: list[Any]) -> str:
    texts = [scalar_text(part) for part in parts]
    current().make(sum(map(len, texts)))
    return "".join(texts)


def _list(value: Iterable[Any]) -> list[Any]:
    found: list[Any] = []
    for item in value:
        if len(found) >= LONGEST_LIST:
            raise OverBudget(f"a list is longer than {LONGEST_LIST:,}")
        found.append(item)
    return found


def _attribute(item: Any, name: str | None) -> Any:
    return item if name is None else item.get(name) if isinstance(item, Mapping) else None


_OURS: dict[str, Callable[..., Any]] = {
    "join": join,
    "replace": replace,
    "tojson": tojson,
    "sum": total,
    "list": _list,
    "string": scalar_text,
    "size": size,
    "duration": duration,
    "time": time,
    EACH: _each,
    CONCAT: _concat,
}

ALL: dict[str, Callable[..., Any]] = {
    name: paying(name, function)
    for name, function in ({name: FILTERS[name] for name in _OF_JINJA} | _OURS).items()
}
