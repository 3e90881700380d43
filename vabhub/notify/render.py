"""Turns a stored notification into the message that a channel is given."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row

from vabhub.channels.base import Message


def render(row: Row[Any]) -> Message:
    """Return the message of a claimed row; its id belongs to the delivery, the same on every try."""
    return Message(
        id=row.webhook_id,
        title=row.title,
        text=row.message,
        type=row.type,
        priority=row.priority_name,
        created_at=row.created_at,
        link=row.link,
        image_url=row.image_url,
        data=row.data or {},
        progress=row.progress or {},
    )
