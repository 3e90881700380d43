"""Reads what a client of the live socket sends, and says what is wrong with it."""

from __future__ import annotations

import contextlib
import json
from typing import Any

from vabhub.events.topics import Topic

MAX_TOPICS = 32


class Refused(Exception):
    """A message cannot be served; the client hears why and stays connected."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def refuse_binary() -> dict[str, Any]:
    """Refuse a binary frame."""
    raise Refused("VALIDATION_ERROR", "Expected a text frame with JSON, got a binary one.")


def parse(text: str) -> dict[str, Any]:
    """Return the JSON object that a client sent; raises Refused for anything else."""
    with contextlib.suppress(ValueError, RecursionError):
        message = json.loads(text)
        if isinstance(message, dict):
            return message
        raise Refused("VALIDATION_ERROR", f"Expected a JSON object, got {shown(message)}.")
    raise Refused("VALIDATION_ERROR", "This is not JSON.")


def topics_of(message: dict[str, Any]) -> tuple[list[Topic], list[str]]:
    """Return known and unknown topics, from `topics` or, as older browser code sends, `data.topics`."""
    names = message.get("topics")
    if names is None and isinstance(message.get("data"), dict):
        names = message["data"].get("topics")
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise Refused("VALIDATION_ERROR", "Expected topics: a list of strings.")
    if len(names) > MAX_TOPICS:
        raise Refused("TOO_MANY_TOPICS", f"At most {MAX_TOPICS} topics; nothing was changed.")
    wanted = list(dict.fromkeys(names))
    return [Topic(name) for name in wanted if name in _NAMES], [name for name in wanted if name not in _NAMES]


def deltas_of(message: dict[str, Any]) -> bool:
    """Return whether long lists are wanted as changes; anything but `true` means no."""
    return message.get("deltas") is True


_NAMES = frozenset(topic.value for topic in Topic)


def shown(value: Any) -> str:
    """Return a client's value short enough to be sent back."""
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "an object"
    text = repr(value)
    return text if len(text) <= 40 else text[:39] + "…"
