"""Keys: what a call was made with, as text that is the same in every process.

`f(1)` and `f(x=1)` share a key; `1`, `"1"`, `True` and `1.0` do not. Up to 200 bytes a key is readable; a
longer one keeps its readable beginning and ends in a hash of all of it.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from types import FunctionType
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

from pydantic import BaseModel

LONGEST_BYTES = 200
_READABLE_BYTES = 120
SEPARATOR = ":"

_PLAIN = (bytes, datetime, date, time, timedelta, Decimal, UUID, PurePath)
_instances: WeakKeyDictionary[Any, str] = WeakKeyDictionary()


def join(prefix: str, rest: str) -> str:
    """Return `prefix:rest`; hashed when it is over 200 bytes of UTF-8 or holds what a database refuses."""
    key = f"{prefix}{SEPARATOR}{rest}"
    raw = key.encode("utf-8", "surrogatepass")
    if len(raw) <= LONGEST_BYTES and "\x00" not in key and _is_utf8(key):
        return key
    head = raw[:_READABLE_BYTES].decode("utf-8", "ignore").replace("\x00", "")
    return f"{head}~{hashlib.sha256(raw).hexdigest()}"


def prefix_of(key: str) -> str:
    """Return the part before the first colon, under which statistics are kept."""
    return key.partition(SEPARATOR)[0]


class CallKey:
    """Writes the arguments of one function's calls, bound by its signature."""

    def __init__(self, function: Callable[..., Any], prefix: str, exclude: Iterable[str] = ()) -> None:
        self._signature = inspect.signature(function)
        self._prefix = prefix
        self._excluded = frozenset(exclude)
        unknown = self._excluded - set(self._signature.parameters)
        if unknown:
            raise TypeError(f"exclude_params names what {function.__qualname__} has not: {sorted(unknown)}")

    def __call__(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> str:
        """Return the key; raises TypeError for a wrong call and for what has no text of its own."""
        bound = self._signature.bind(*args, **kwargs)
        bound.apply_defaults()
        parts = [
            f"{name}={self._written(name, value)}"
            for name, value in bound.arguments.items()
            if name not in self._excluded
        ]
        return join(self._prefix, ",".join(parts))

    def _written(self, name: str, value: Any) -> str:
        try:
            return write(value)
        except TypeError as error:
            raise TypeError(
                f"parameter {name!r} cannot be part of a cache key: {error}; name it in exclude_params, give "
                "a key_func, or give its class a method __cache_key__"
            ) from None


def write(value: Any) -> str:  # noqa: PLR0911 (one line a kind)
    """Return a value as text that no value of another type or content shares."""
    match value:
        case Enum():  # before str and int, which many are as well
            return f"{_name(type(value))}.{value.name}"
        case None | bool() | int() | float() if type(value) in (type(None), bool, int, float):
            return repr(value)
        case str() if type(value) is str:
            return json.dumps(value, ensure_ascii=False)
        case list() | tuple():
            return _enclosed(value, "[]" if isinstance(value, list) else "()", map(write, value), list)
        case set() | frozenset():
            return _enclosed(value, "<>", sorted(map(write, value)), set)
        case dict():
            return _enclosed(value, "{}", sorted(f"{write(k)}:{write(v)}" for k, v in value.items()), dict)
        case type() | FunctionType():
            return _name(value)
    return _object(value)


def _object(value: Any) -> str:
    own = getattr(value, "__cache_key__", None)
    if callable(own):
        return f"{_name(type(value))}({own()})"
    if isinstance(value, _PLAIN):
        return f"{type(value).__name__}({value if not isinstance(value, bytes) else value.hex()})"
    if isinstance(value, BaseModel):
        return f"{_name(type(value))}({value.model_dump_json()})"
    if is_dataclass(value):
        inner = ",".join(f"{field.name}={write(getattr(value, field.name))}" for field in fields(value))
        return f"{_name(type(value))}({inner})"
    return _instance(value)


def _instance(value: Any) -> str:
    # Nothing says what it is, so nothing but itself shares its entries; its id() would come again.
    try:
        token = _instances.setdefault(value, secrets.token_hex(8))
    except TypeError:
        raise TypeError(f"{type(value).__qualname__} has no text of its own") from None
    return f"{_name(type(value))}@{token}"


def _is_utf8(text: str) -> bool:
    # Half of a surrogate pair is a text to Python and to nobody else.
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _enclosed(value: Any, brackets: str, parts: Iterable[str], plain: type) -> str:
    text = f"{brackets[0]}{','.join(parts)}{brackets[1]}"
    return text if type(value) in (plain, tuple) else f"{type(value).__name__}{text}"


def _name(thing: Any) -> str:
    return f"{thing.__module__}.{thing.__qualname__}"
