"""Keeps a channel's secrets out of what is stored and shown about an attempt."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, quote, quote_plus, unquote, urlsplit

from vabhub.channels.base import MASK, ChannelSettings, secret_names
from vabhub.channels.text import cut_utf8

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
        texts = _strings(value)
        found += texts if name in hidden else []
        shortest = 10 if name in hidden else 16
        found += [part for text in texts for part in _of_url(text, shortest)]
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


def _of_url(text: str, shortest: int) -> list[str]:
    """Return the parts of an address that often are the key: user information, long paths, the query."""
    if "://" not in text:
        return []
    try:
        parts = urlsplit(text)
    except ValueError:
        return []  # no address; all of it is a secret already where it is one
    user = unquote(parts.netloc.rpartition("@")[0])  # as HTTP sends it, base64 comes on top
    long_path = [part for part in parts.path.split("/") if len(part) >= shortest]
    values = [value for _, value in parse_qsl(parts.query) if len(value) >= shortest]
    return [part for part in (user, parts.password, parts.query, *values, *long_path) if part]
