"""Entries as bytes: MessagePack with a few types of ours. Nothing in it can run code, unlike pickle.

A value comes back as exactly what it was, or is refused: a tuple stays a tuple, and 1 is no key "1".
Layout: one byte of version, eight bytes of the time it was built (so that Redis can compare), the rest.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgpack

from vabhub.cache.entry import Entry

VERSION = 1
_HEAD = struct.Struct(">BQ")
_SCALARS = frozenset({str, int, float, bool, bytes, type(None)})
_FROZEN = _SCALARS | {datetime, date, time, timedelta, Decimal, UUID}
# What a decoder can raise for bytes that we never wrote.
_FAULTS = (ValueError, TypeError, RecursionError, ArithmeticError, struct.error, msgpack.UnpackException)


class Unserialisable(TypeError):
    """The value has a type that no tier can give back as it was."""


class Corrupt(ValueError):
    """These bytes are no entry, or one of another version."""


def pack(entry: Entry, key: str = "") -> bytes:
    """Return the entry as bytes; raises Unserialisable with the key and the type that cannot be kept."""
    body = [entry.expires_at, entry.stale_until, entry.build_s, entry.value]
    return _HEAD.pack(VERSION, int(entry.built_at * 1e6)) + pack_value(body, key)


def unpack(raw: bytes) -> Entry:
    """Read what `pack` wrote; raises Corrupt for anything else."""
    try:
        version, built_at = _HEAD.unpack_from(raw)
        if version != VERSION:
            raise Corrupt(f"version {version}")
        expires_at, stale_until, build_s, value = unpack_value(memoryview(raw)[_HEAD.size :])
        return Entry(value, built_at / 1e6, float(expires_at), float(stale_until), float(build_s))
    except _FAULTS as error:
        raise Corrupt(str(error)[:200]) from error


def pack_value(value: Any, key: str = "") -> bytes:
    """Return one value as bytes; raises Unserialisable."""
    try:
        return _packb(value)
    except Unserialisable as error:
        raise Unserialisable(f"cache key {key!r}: {error}") from None
    except (ValueError, RecursionError) as error:
        raise Unserialisable(f"cache key {key!r}: {type(value).__name__}: {error}") from error


def unpack_value(raw: bytes | memoryview) -> Any:
    """Read one value; raises what is in `_FAULTS` for bytes that we never wrote."""
    return msgpack.unpackb(raw, ext_hook=_decode, strict_map_key=False, unicode_errors="surrogatepass")


def is_frozen(value: Any) -> bool:
    """Return whether nobody can change the value, so that all callers may hold the same one."""
    kind = type(value)
    if kind in _FROZEN:
        return True
    return kind in (tuple, frozenset) and all(map(is_frozen, value))


def _packb(value: Any) -> bytes:
    packed: bytes = msgpack.packb(value, default=_encode, strict_types=True, unicode_errors="surrogatepass")
    return packed


def _encode(value: Any) -> msgpack.ExtType:
    code = _CODES.get(type(value))
    if code is None:
        raise Unserialisable(f"a value of type {type(value).__qualname__} cannot be cached")
    return msgpack.ExtType(code, _KINDS[code][1](value))


def _decode(code: int, raw: bytes) -> Any:
    if code not in _KINDS:
        raise ValueError(f"unknown type {code}")
    return _KINDS[code][2](raw)


def _text(write: Callable[[Any], str], read: Callable[[str], Any]) -> tuple[Any, Any]:
    return lambda value: write(value).encode("ascii"), lambda raw: read(raw.decode("ascii"))


def _items(read: Callable[[list[Any]], Any]) -> tuple[Any, Any]:
    return lambda value: _packb(list(value)), lambda raw: read(unpack_value(raw))


def _delta(text: str) -> timedelta:
    days, seconds, microseconds = map(int, text.split(","))
    return timedelta(days, seconds, microseconds)


# code: (type, to bytes, from bytes). A code is never given to another type.
_KINDS: dict[int, tuple[type, Callable[[Any], bytes], Callable[[bytes], Any]]] = {
    1: (tuple, *_items(tuple)),
    2: (set, *_items(set)),
    3: (frozenset, *_items(frozenset)),
    4: (datetime, *_text(datetime.isoformat, datetime.fromisoformat)),
    5: (date, *_text(date.isoformat, date.fromisoformat)),
    6: (time, *_text(time.isoformat, time.fromisoformat)),
    7: (timedelta, *_text(lambda d: f"{d.days},{d.seconds},{d.microseconds}", _delta)),
    8: (Decimal, *_text(str, Decimal)),
    9: (UUID, *_text(str, UUID)),
    10: (int, *_text(hex, lambda text: int(text, 16))),
}
_CODES = {kind: code for code, (kind, *_) in _KINDS.items()}
