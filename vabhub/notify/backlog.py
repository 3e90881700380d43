"""What is not settled yet, counted by channel and state, and which channels hold theirs back."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from vabhub.clock import isoformat
from vabhub.db import db_now
from vabhub.models import Channel, Delivery, Notification
from vabhub.notify.states import DeliveryState

# In the order of a delivery's way. A dead one is open too: somebody has to decide about it.
OPEN = (DeliveryState.PENDING, DeliveryState.SENDING, DeliveryState.RETRYING, DeliveryState.DEAD)


def count_open(session: Session, channel: str | None = None) -> dict[str, Any]:
    """Return how many deliveries are open now, by state, and by channel and state.

    `states` counts the named channel only, or all of them; `channels` always lists every configured channel
    and every other that still has open deliveries. `as_of` is the database's time.
    """
    now = db_now(session)
    found: dict[str, dict[str, int]] = {}
    for name, state, count in session.execute(_counts()):
        found.setdefault(name, {})[state] = count
    configured = {row.name: row for row in session.scalars(select(Channel))}
    names = sorted(found.keys() | configured.keys())
    chosen = names if channel is None else [channel]
    return {
        "as_of": isoformat(now),
        "states": {state.value: sum(found.get(one, {}).get(state, 0) for one in chosen) for state in OPEN},
        "channels": [
            {"channel": name, **_row(found.get(name, {})), "hold": _hold(configured.get(name), now)}
            for name in names
        ],
    }


def in_states(*states: DeliveryState) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions for deliveries in these states, in the words of the index (channel, state)."""
    return Delivery.channel.in_(_names()), Delivery.state.in_(states)


def _counts() -> Select[str, str, int]:
    return (
        select(Delivery.channel, Delivery.state, func.count())
        .join(Notification, Notification.id == Delivery.notification_id)
        .where(Notification.deleted_at.is_(None), *in_states(*OPEN))
        .group_by(Delivery.channel, Delivery.state)
    )


def _names() -> Select[str]:
    """Return every channel that a delivery names, by one probe of the index each.

    DISTINCT would read a row a delivery, and nearly all of a million deliveries are delivered.
    """
    first = select(func.min(Delivery.channel).label("name")).cte("names", recursive=True)
    above = select(func.min(Delivery.channel)).where(Delivery.channel > first.c.name).scalar_subquery()
    names = first.union_all(select(above).where(first.c.name.is_not(None)))
    return select(names.c.name).where(names.c.name.is_not(None))


def _row(states: dict[str, int]) -> dict[str, int]:
    return {state.value: states.get(state, 0) for state in OPEN}


def _hold(channel: Channel | None, now: datetime) -> dict[str, Any] | None:
    if channel is None:
        return {"kind": "deleted", "reason": None, "until": None}
    if channel.disabled_reason is not None or not channel.enabled:
        return {"kind": "off", "reason": channel.disabled_reason, "until": None}
    if channel.blocked_until is not None and channel.blocked_until > now:
        return {"kind": "asked_to_wait", "reason": None, "until": isoformat(channel.blocked_until)}
    return None
