"""Cuts text to what a provider can carry, without tearing a character."""

from __future__ import annotations

ELLIPSIS = "…"


def utf16_units(text: str) -> int:
    """Return the length as Telegram and JavaScript count it: 2 for an emoji."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def cut_utf16(text: str, units: int) -> str:
    """Return `text` in at most `units` UTF-16 units, with … where something is missing."""
    if utf16_units(text) <= units:
        return text
    raw = text.encode("utf-16-le", "surrogatepass")[: max(0, units - 1) * 2]
    return raw.decode("utf-16-le", "ignore").rstrip() + ELLIPSIS


def cut_utf8(text: str, size_bytes: int) -> str:
    """Return `text` in at most `size_bytes` bytes of UTF-8, with … where something is missing."""
    raw = text.encode("utf-8", "replace")
    if len(raw) <= size_bytes:
        return raw.decode()
    return raw[: max(0, size_bytes - len(ELLIPSIS.encode()))].decode("utf-8", "ignore") + ELLIPSIS
