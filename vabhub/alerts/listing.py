"""What is firing now, and what was."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from vabhub.alerts.judge import Status
from vabhub.alerts.metrics import METRICS, MetricName
from vabhub.clock import isoformat
from vabhub.models import Alert, AlertRule

Joined = Select[Alert, str | None]


class AlertQuery(BaseModel):
    """Which alerts, a page at a time."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    status: Status | None = None
    page: int = Field(1, ge=1, le=1_000_000)
    page_size: int = Field(20, ge=1, le=100)


def list_alerts(session: Session, query: AlertQuery) -> dict[str, Any]:
    """Return a page of alerts, newest first."""
    conditions = [] if query.status is None else [Alert.status == query.status.value]
    total = session.scalar(select(func.count()).select_from(Alert).where(*conditions)) or 0
    rows = session.execute(
        select(Alert, AlertRule.name)
        .outerjoin(AlertRule, AlertRule.id == Alert.rule_id)
        .where(*conditions)
        .order_by(Alert.id.desc())
        .limit(query.page_size)
        .offset((query.page - 1) * query.page_size)
    )
    return {
        "items": [_view(alert, name) for alert, name in rows],
        "total": total,
        "total_is_exact": True,
        "page": query.page,
        "page_size": query.page_size,
        "total_pages": -(-total // query.page_size),
    }


def _view(row: Alert, name: str | None) -> dict[str, Any]:
    return {
        "id": row.id,
        "rule_id": row.rule_id,
        "rule": name,
        "metric": row.metric,
        "subject": row.subject or None,
        "status": row.status,
        "value": row.value,
        "threshold": row.threshold,
        "unit": METRICS[MetricName(row.metric)].unit,
        "started_at": isoformat(row.started_at),
        "fired_at": _iso(row.fired_at),
        "resolved_at": _iso(row.resolved_at),
        "resolved_why": row.resolved_why,
    }


def _iso(at: datetime | None) -> str | None:
    return None if at is None else isoformat(at)
