"""The rules: listed, made, changed and deleted; what is not possible is refused with its field."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from vabhub.alerts.judge import Status
from vabhub.alerts.metrics import METRICS, MetricName
from vabhub.clock import isoformat, utcnow
from vabhub.db import db_now
from vabhub.errors import Conflict, FieldError, NotFound, ValidationFailed
from vabhub.models import Alert, AlertRule, Channel

MOST_RULES = 100
_A_WEEK_MIN = 7 * 24 * 60

Name = Annotated[str, StringConstraints(min_length=1, max_length=100, strip_whitespace=True)]
Subject = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Minutes = Annotated[int, Field(ge=0, le=_A_WEEK_MIN)]
Number = Annotated[float, Field(allow_inf_nan=False)]
Names = Annotated[list[Annotated[str, Field(max_length=64)]], Field(max_length=32)]
Priority = Literal["low", "normal", "high", "urgent"]


class NewRule(BaseModel):
    """A rule as a whole. `clear_at` lies on the good side of `threshold`: between them nothing changes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Name | None = None
    metric: MetricName
    subject: Subject | None = Field(None, description="One mount, sensor, client or channel; null: each")
    threshold: Number
    clear_at: Number
    for_minutes: Minutes = 5
    clear_minutes: Minutes = 2
    priority: Priority = "normal"
    channels: Names = Field(default_factory=list, description="Empty: the inbox, and channels with `alerts`")
    enabled: bool = True

    @model_validator(mode="after")
    def _in_range(self) -> Self:
        metric = METRICS[self.metric]
        for name in ("threshold", "clear_at"):
            if not metric.lowest <= getattr(self, name) <= metric.highest:
                raise ValueError(f"{name} must lie between {metric.lowest:g} and {metric.highest:g}")
        good = self.clear_at - self.threshold if metric.below else self.threshold - self.clear_at
        if good < 0:
            side = "below" if metric.below else "above"
            raise ValueError(f"clear_at must not lie {side} threshold")
        return self


class RuleChange(BaseModel):
    """What is to be different about a rule; what is left out stays."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Name | None = None
    subject: Subject | None = None
    threshold: Number | None = None
    clear_at: Number | None = None
    for_minutes: Minutes | None = None
    clear_minutes: Minutes | None = None
    priority: Priority | None = None
    channels: Names | None = None
    enabled: bool | None = None


_MAY_BE_NULL = frozenset({"name", "subject"})


def list_rules(session: Session) -> list[dict[str, Any]]:
    """Return all rules, oldest first."""
    return [rule_view(row) for row in session.scalars(select(AlertRule).order_by(AlertRule.id))]


def create_rule(session: Session, body: NewRule) -> dict[str, Any]:
    """Store a rule. Raises ValidationFailed (an unknown channel) and Conflict (too many)."""
    _check_channels(session, body.channels)
    if (session.scalar(select(func.count()).select_from(AlertRule)) or 0) >= MOST_RULES:
        raise Conflict(f"There are {MOST_RULES} rules already.")
    now = db_now(session)
    fields = body.model_dump() | {"metric": body.metric.value}
    row = AlertRule(**fields, created_at=now, updated_at=now)
    session.add(row)
    session.flush()
    return rule_view(row)


def change_rule(session: Session, rule_id: int, body: RuleChange) -> dict[str, Any]:
    """Change a rule and close what it had open. Raises NotFound and ValidationFailed."""
    row = _get(session, rule_id)
    given = body.model_dump(exclude_unset=True)
    changed = {name: value for name, value in given.items() if value is not None or name in _MAY_BE_NULL}
    whole = _whole({name: getattr(row, name) for name in NewRule.model_fields} | changed)
    if "channels" in changed:
        _check_channels(session, whole.channels)
    for name in changed:
        setattr(row, name, getattr(whole, name))
    row.updated_at = db_now(session)
    if changed.keys() - {"name", "priority", "channels"}:
        _close(session, rule_id)
    session.flush()
    return rule_view(row)


def delete_rule(session: Session, rule_id: int) -> None:
    """Delete a rule; what it had open is closed without a word. Raises NotFound."""
    row = _get(session, rule_id)
    _close(session, rule_id)
    session.delete(row)


def rule_view(row: AlertRule) -> dict[str, Any]:
    """Return a rule as the API shows it."""
    fields = ("id", *NewRule.model_fields)
    return {name: getattr(row, name) for name in fields} | {
        "unit": METRICS[MetricName(row.metric)].unit,
        "created_at": isoformat(row.created_at),
        "updated_at": isoformat(row.updated_at),
    }


def _get(session: Session, rule_id: int) -> AlertRule:
    row = session.get(AlertRule, rule_id)
    if row is None:
        raise NotFound("There is no such rule.")
    return row


def _whole(fields: dict[str, Any]) -> NewRule:
    try:
        return NewRule.model_validate(fields)
    except ValidationError as error:
        wrong = [
            FieldError("body", fault["msg"].removeprefix("Value error, "), fault["type"])
            for fault in error.errors()
        ]
        raise ValidationFailed(wrong) from error


def _close(session: Session, rule_id: int) -> None:
    """Close what is open: the next check judges by the new rule, from the beginning."""
    session.execute(
        update(Alert)
        .where(Alert.rule_id == rule_id, Alert.status != Status.RESOLVED.value)
        .values(
            status=Status.RESOLVED.value,
            version=Alert.version + 1,
            resolved_at=utcnow(),
            resolved_why="rule",
        )
    )


def _check_channels(session: Session, names: list[str]) -> None:
    known = set(session.scalars(select(Channel.name).where(Channel.name.in_(names))))
    wrong = [name for name in names if name not in known]
    if wrong:
        raise ValidationFailed(
            [FieldError("channels", f"There is no channel {name!r}.", "unknown_channel") for name in wrong]
        )
