"""Keeps a channel's secrets out of what is stored and shown about an attempt."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, quote_plus, urlsplit

from vabhub.channels.base import ChannelSettings, secret_names
from vabhub.channels.text import cut_utf8

MASK = "***"
MAX_BYTES = 2048
# Shorter ones would black out ordinary words, and guard nothing.
MIN_LENGTH = 4


def redact(text: str, secrets: Iterable[str]) -> str:
    """Return `text` without any of `secrets`, as written, URL-quoted or base64, in at most 2 KB."""
    for form in sorted({form for secret in secrets for form in _forms(secret)}, key=len, reverse=True):
        text = text.replace(form, MASK)
    return cut_utf8(text.replace("\x00", ""), MAX_BYTES)


def secrets_of(settings_model: type[ChannelSettings], settings: Mapping[str, Any]) -> list[str]:
    """Return what must not be shown: all of every secret field, and what an address may hide."""
    hidden = secret_names(settings_model)
    found: list[str] = []
    for name, value in settings.items():
        found += (
            _strings(value) if name in hidden else [part for one in _strings(value) for part in _of_url(one)]
        )
    return [secret for secret in found if len(secret) >= MIN_LENGTH]


def _forms(secret: str) -> Iterator[str]:
    yield secret
    yield quote(secret, safe="")
    yield quote_plus(secret)
    yield b64encode(secret.encode()).decode()


def _strings(value: Any) -> list[str]:
    if isinstance(value, Mapping):
        return [text for one in value.values() for text in _strings(one)]
    if isinstance(value, list | tuple):
        return [text for one in value for text in _strings(one)]
    # A header such as `Bearer abc` hides its last word, and two secrets may stand in one field.
    return [value, *value.split()] if isinstance(value, str) else []


def _of_url(text: str) -> list[str]:
    """Return the parts of an address that often are the key: user information, long paths, the query."""
    if "://" not in text:
        return []
    parts = urlsplit(text)
    long_path = [part for part in parts.path.split("/") if len(part) >= 16]
    return [part for part in (parts.password, parts.query, *long_path) if part]
