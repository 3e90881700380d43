"""Turns a stored notification into the message that a channel is given."""

from __future__ import annotations

from vabhub.channels.base import Message
from vabhub.models import Delivery, Notification


def render(notification: Notification, delivery: Delivery) -> Message:
    """Return the message; its id belongs to the delivery, so every retry carries the same."""
    return Message(
        id=delivery.webhook_id,
        title=notification.title,
        text=notification.message,
        type=notification.type,
        priority=notification.priority,
        created_at=notification.created_at,
        link=notification.link,
        image_url=notification.image_url,
        data=notification.data or {},
        progress=delivery.progress or {},
    )
