"""A stored secret stays with the server it was given for: who changes the address gives it anew.

Otherwise whoever may change an address could have the secret sent to a server of theirs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from vabhub.errors import FieldError, ValidationFailed

_ADDRESSES = ("url", "base_url", "webhook_url", "smtp_host", "smtp_port")


def refuse_moved(stored: Mapping[str, Any], merged: Mapping[str, Any], hidden: frozenset[str]) -> None:
    """Raise ValidationFailed naming each secret of `stored` that would go to another server than before."""
    if _place(stored, hidden) == _place(merged, hidden):
        return
    kept = [name for name in sorted(hidden) if _is_kept(stored.get(name), merged.get(name))]
    if kept:
        text = "The address is another one: enter this secret again."
        raise ValidationFailed([FieldError(f"settings.{name}", text, "moved") for name in kept])


def _place(settings: Mapping[str, Any], hidden: frozenset[str]) -> list[Any]:
    """Return what decides who reads what is sent: the servers, and whether the way to them is checked."""
    servers = [_server(settings.get(name)) for name in _ADDRESSES if name not in hidden]
    return [*servers, settings.get("verify_tls") is False, settings.get("smtp_tls") == "none"]


def _server(value: Any) -> Any:
    text = str(value or "")
    if "://" not in text:
        return text
    parts = urlsplit(text)
    return parts.scheme, parts.netloc.rpartition("@")[2].lower()


def _is_kept(stored: Any, merged: Any) -> bool:
    if isinstance(stored, Mapping):
        return isinstance(merged, Mapping) and any(merged.get(name) == one for name, one in stored.items())
    return bool(stored) and stored == merged
