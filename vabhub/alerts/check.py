"""Holds every rule to the newest values; a change and its notification are one transaction."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from vabhub.alerts.judge import Change, Limit, Standing, Status, Verdict, judge
from vabhub.alerts.measure import Meter, Values
from vabhub.alerts.metrics import MetricName
from vabhub.alerts.tell import tell
from vabhub.clock import utcnow
from vabhub.collectors.history.series import clean_part
from vabhub.db import reading, transaction
from vabhub.models import Alert, AlertRule

_KEEP = timedelta(days=365)
# One rule looks at so many subjects; a hundred disks that fill at once tell what ninety-nine do.
_MOST_SUBJECTS = 100


@dataclass(frozen=True, slots=True)
class Move:
    """What one value changes about one rule's subject."""

    rule: AlertRule
    subject: str
    value: float
    alert: Alert | None
    verdict: Verdict


class Checker:
    """Checks all rules; one lives in each scheduler, and only the leader's runs."""

    def __init__(self, meter: Meter | None = None) -> None:
        self._meter = meter or Meter()

    def check(self) -> int:
        """Judge every subject of every rule; return how many changed. Nothing is written when none does.

        Safe in two schedulers at once: a row is changed only in the version it was judged in.
        """
        with reading() as session:
            rules = list(session.scalars(select(AlertRule).where(AlertRule.enabled.is_(True))))
            opened = list(session.scalars(select(Alert).where(Alert.status != Status.RESOLVED.value)))
        metrics = {MetricName(rule.metric) for rule in rules}
        values = {metric: self._meter.values(metric) for metric in metrics}
        now = utcnow()
        moves = list(_moves(rules, opened, values, now))
        if moves:
            with transaction() as session:
                for move in moves:
                    _apply(session, move, now)
        return len(moves)


def prune() -> int:
    """Forget alerts that ended a year ago; return how many."""
    with transaction() as session:
        old = delete(Alert).where(Alert.resolved_at < utcnow() - _KEEP)
        return max(0, int(session.execute(old).rowcount))  # type: ignore[attr-defined]


def _moves(
    rules: list[AlertRule], opened: list[Alert], values: Mapping[MetricName, Values], now: datetime
) -> Iterator[Move]:
    by_subject = {(alert.rule_id, alert.subject): alert for alert in opened}
    for rule in rules:
        limit = _limit(rule)
        for part, value in list(values[limit.metric].items())[:_MOST_SUBJECTS]:
            subject = clean_part(part)
            if value is None or rule.subject not in (None, subject):
                continue
            alert = by_subject.get((rule.id, subject))
            verdict = judge(limit, _standing(alert), value, now)
            if verdict.change is not Change.NONE:
                yield Move(rule, subject, value, alert, verdict)


def _limit(rule: AlertRule) -> Limit:
    return Limit(
        MetricName(rule.metric), rule.threshold, rule.clear_at, rule.for_minutes * 60, rule.clear_minutes * 60
    )


def _standing(alert: Alert | None) -> Standing | None:
    return None if alert is None else Standing(Status(alert.status), alert.held_s, alert.seen_at)


def _apply(session: Session, move: Move, now: datetime) -> None:
    if move.alert is None:
        _begin(session, move, now)
    elif move.verdict.change is Change.DROP:
        version = (Alert.id == move.alert.id, Alert.version == move.alert.version)
        session.execute(delete(Alert).where(*version))
    elif _moved(session, move.alert, _fields(move, now)) and move.verdict.change is not Change.HOLD:
        tell(session, move.rule, session.get_one(Alert, move.alert.id), now)


def _fields(move: Move, now: datetime) -> dict[str, Any]:
    fields: dict[str, Any] = {"held_s": move.verdict.held_s, "seen_at": now, "value": move.value}
    if move.verdict.change is Change.FIRE:
        return fields | {"status": Status.FIRING.value, "fired_at": now, "threshold": move.rule.threshold}
    if move.verdict.change is Change.RESOLVE:
        return fields | {"status": Status.RESOLVED.value, "resolved_at": now, "resolved_why": "cleared"}
    return fields


def _moved(session: Session, alert: Alert, fields: Mapping[str, Any]) -> bool:
    """Change the row if it is still the one that was judged; return whether it was."""
    statement = (
        update(Alert)
        .where(Alert.id == alert.id, Alert.version == alert.version)
        .values(**fields, version=Alert.version + 1)
        .execution_options(synchronize_session=False)
    )
    return bool(session.execute(statement).rowcount)  # type: ignore[attr-defined]


def _begin(session: Session, move: Move, now: datetime) -> None:
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    insert = dialect.insert(Alert).values(
        rule_id=move.rule.id,
        metric=move.rule.metric,
        subject=move.subject,
        status=Status.PENDING.value,
        version=0,
        value=move.value,
        threshold=move.rule.threshold,
        held_s=0.0,
        seen_at=now,
        started_at=now,
    )
    is_open = text("status IN ('pending', 'firing')")
    session.execute(insert.on_conflict_do_nothing(index_elements=["rule_id", "subject"], index_where=is_open))
