"""The one JSON shape of notifications, deliveries and attempts: for REST, socket and page alike."""

from __future__ import annotations

from datetime import datetime
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Row

from vabhub.clock import isoformat
from vabhub.models import Attempt, Delivery, Notification
from vabhub.notify.states import WAITING, DeliveryState

# A mapped notification, or its columns and `deliveries` read without the mapper.
Shown = Notification | SimpleNamespace


def notification_view(notification: Shown) -> dict[str, Any]:
    """Return a notification with its deliveries, without their attempts."""
    return {
        "id": notification.id,
        "title": notification.title,
        "message": notification.message,
        "type": notification.type,
        "level": notification.level,
        "priority": notification.priority,
        "status": notification.status,
        "source": notification.source,
        "channels": [delivery.channel for delivery in notification.deliveries],
        "template": notification.template,
        "data": notification.data,
        "image_url": notification.image_url,
        "link": notification.link,
        "extra_metadata": notification.extra_metadata,
        "send_at": _time(notification.send_at),
        "created_at": _time(notification.created_at),
        "updated_at": _time(notification.updated_at),
        "inbox_at": _time(notification.inbox_at),
        "read_at": _time(notification.read_at),
        "unread": notification.inbox_at is not None and notification.read_at is None,
        "deliveries": [delivery_view(delivery) for delivery in notification.deliveries],
    }


def delivery_view(delivery: Delivery | Row[Any] | SimpleNamespace) -> dict[str, Any]:
    """Return a delivery; `next_attempt_at` only while one is to come."""
    waits = DeliveryState(delivery.state) in WAITING
    return {
        "id": delivery.id,
        "notification_id": delivery.notification_id,
        "channel": delivery.channel,
        "status": delivery.state,
        "attempt_count": delivery.attempts,
        "next_attempt_at": _time(delivery.next_attempt_at) if waits else None,
        "cancel_requested": delivery.cancel_requested,
        "last_error": delivery.last_error,
        "created_at": _time(delivery.created_at),
        "finished_at": _time(delivery.finished_at),
    }


def attempt_view(attempt: Attempt) -> dict[str, Any]:
    """Return one attempt: when, how it ended, what was said, and what came next."""
    took = attempt.finished_at - attempt.started_at if attempt.finished_at else None
    return {
        "number": attempt.epoch,
        "started_at": _time(attempt.started_at),
        "finished_at": _time(attempt.finished_at),
        "duration_ms": None if took is None else round(took.total_seconds() * 1000, 1),
        "outcome": attempt.outcome,
        "provider_status": attempt.provider_status,
        "retry_after_s": attempt.retry_after_s,
        "text": attempt.text,
        "template_error": attempt.template_error,
        "next_state": attempt.next_state,
        "next_attempt_at": _time(attempt.next_attempt_at),
    }


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else isoformat(moment)
