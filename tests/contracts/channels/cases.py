"""The message that the channel tests send."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from vabhub.channels.base import Message

# What people, scripts and broken programs send.
HARD_TEXTS = (
    "_*[link](http://x)* <b>&amp;</b> `code` > quote | ~~no~~ @everyone <@1> <!here> \\",
    "bell\x07 escape\x1b[31m nul\x00 delete\x7f c1\x85 end",
    "lone \ud83d high and \udc00 low",
    "下载完成。" * 2000,
    "مرحبا بالعالم \u202eעברית\u202c " * 200,
    "x" * 65536,
    "👨‍👩‍👧‍👦🇨🇳👍🏽 e\u0301\u0323 " * 900,
    "\r\nfirst\rsecond\u2028third\n\n\n",
)


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
