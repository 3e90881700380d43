"""The message that the channel tests send."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from vabhub.channels.base import Message


def message(**changes: Any) -> Message:
    """Return a message with `changes`."""
    given: dict[str, Any] = {
        "id": "msg_0123456789",
        "title": "下载完成 <1>",
        "text": "Dune & Dune 2 — 4K 🎬",
        "type": "success",
        "priority": "normal",
        "created_at": datetime(2026, 11, 23, 22, 12, 27, tzinfo=UTC),
    }
    return Message(**(given | changes))
