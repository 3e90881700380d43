"""Tells the inbox, and the channels that want to hear of it, what became of another channel."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from vabhub.channels.base import Message
from vabhub.db import db_now
from vabhub.models import Channel
from vabhub.notify import events
from vabhub.notify.accept import INBOX, NewNotification, accept
from vabhub.notify.default_words import default_language
from vabhub.notify.render import Wording, render

_MOST_LISTENERS = 31


def tell(session: Session, event: str, channel: str, reason: str = "") -> None:
    """Say that `channel` was switched off, is held, or works again, and why."""
    said = event_message(event, {"channel": channel, "reason": reason}, db_now(session))
    request = NewNotification.model_validate(
        {
            "title": said.title,
            "message": said.text,
            "type": said.type,
            "priority": said.priority,
            "channels": [INBOX, *listeners(session, besides=channel)],
            "template": event,
            "data": {"event": event, **said.data},
        }
    )
    accept(session, request, source="vabhub")


def event_message(
    event: str, data: Mapping[str, Any], now: datetime, *, channel: str = "", language: str = ""
) -> Message:
    """Return one of the hub's own messages in its shipped words."""
    known = events.EVENTS[event]
    blank = Message(
        id="", title=event, text=event, type=known.type, priority=known.priority, created_at=now, data=data
    )
    message, _ = render(blank, Wording(event, channel, language or default_language()))
    return message


def listeners(session: Session, *, besides: str = "") -> list[str]:
    """Return the channels that want to be told what goes wrong, and can be."""
    query = (
        select(Channel.name)
        .where(
            Channel.alerts.is_(True),
            Channel.enabled.is_(True),
            Channel.disabled_reason.is_(None),
            Channel.opened_at.is_(None),
            Channel.builtin.is_(False),
            Channel.name != besides,
        )
        .order_by(Channel.name)
        .limit(_MOST_LISTENERS)
    )
    return list(session.scalars(query))
