"""The notification of an alert that begins to fire, and of one that is over."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from vabhub.alerts.judge import Status
from vabhub.alerts.metrics import METRICS, MetricName
from vabhub.clock import isoformat
from vabhub.models import Alert, AlertRule, Channel
from vabhub.notify import alarms, events
from vabhub.notify.accept import INBOX, NewNotification, accept

SOURCE = "alerts"


def tell(session: Session, rule: AlertRule, alert: Alert, now: datetime) -> None:
    """Accept the notification in the transaction that changed the alert: both are stored, or neither."""
    is_over = alert.status == Status.RESOLVED.value
    event = events.ALERT_RESOLVED if is_over else events.ALERT_FIRING
    data = _data(rule, alert, event)
    said = alarms.event_message(event, data, now)
    request = NewNotification.model_validate(
        {
            "title": said.title,
            "message": said.text,
            "type": said.type,
            "priority": rule.priority,
            "channels": _channels(session, rule),
            "template": event,
            "data": data,
        }
    )
    accept(session, request, source=SOURCE, idempotency_key=f"alert:{alert.id}:{alert.status}")


def _data(rule: AlertRule, alert: Alert, event: str) -> dict[str, Any]:
    """Return what templates may use; the times in ISO-8601, UTC."""
    ended = alert.resolved_at or alert.fired_at or alert.started_at
    return {
        "event": event,
        "alert_id": alert.id,
        "rule_id": rule.id,
        "rule": rule.name or "",
        "metric": alert.metric,
        "subject": alert.subject,
        "value": round(alert.value, 1),
        "threshold": round(alert.threshold, 1),
        "unit": METRICS[MetricName(alert.metric)].unit,
        "since": isoformat(alert.started_at),
        "minutes": round((ended - alert.started_at).total_seconds() / 60),
    }


def _channels(session: Session, rule: AlertRule) -> list[str]:
    """Return the rule's channels that still exist, or those that take alerts; the inbox always."""
    if not rule.channels:
        return [INBOX, *alarms.listeners(session)]
    known = session.scalars(select(Channel.name).where(Channel.name.in_(rule.channels)))
    return list(dict.fromkeys([INBOX, *sorted(known)]))
