"""Writes down how an attempt ended, and what that means for its delivery, channel and notification."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, func, or_, update
from sqlalchemy.orm import Session

from vabhub.channels.base import Outcome, OutcomeKind
from vabhub.db import db_now, transaction
from vabhub.log import get_logger
from vabhub.models import Channel, Delivery, MessageTemplate, UtcDateTime
from vabhub.notify import breaker, events, states
from vabhub.notify.alarms import tell
from vabhub.notify.announce import count_after_commit, event_after_commit
from vabhub.notify.claims import ATTEMPT, Claim
from vabhub.notify.prepared import Prepared
from vabhub.notify.retry import LONGEST
from vabhub.notify.sealed import changed_settings
from vabhub.notify.states import DELIVERY, DeliveryState, Moved

log = get_logger(__name__)

GIVE_UP = frozenset({OutcomeKind.PERMANENT_CHANNEL, OutcomeKind.PERMANENT_MESSAGE})

# From accept to delivered.
BUCKETS_S = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200, 86400)
# What says that a provider is not there, and what says that it is.
FAILURES = frozenset({OutcomeKind.TRANSIENT, OutcomeKind.UNCERTAIN})
ANSWERS = frozenset({OutcomeKind.OK, OutcomeKind.PARTLY, OutcomeKind.PERMANENT_MESSAGE})

_LET_GO: dict[str, Any] = {"owner": None, "lease_until": None, "hint_at": None}
_DELIVER = states.mover(
    {DeliveryState.SENDING, DeliveryState.RETRYING},
    DeliveryState.DELIVERED,
    # The webhook id too: SQLite may give a removed delivery's number to a new one.
    DELIVERY.c.id == bindparam("the_id"),
    DELIVERY.c.webhook_id == bindparam("the_webhook_id"),
    **_LET_GO,
    finished_at=bindparam("the_now", type_=UtcDateTime),
    last_error=None,
)
_CLOSE_ATTEMPT = Prepared(
    update(ATTEMPT)
    .where(ATTEMPT.c.delivery_id == bindparam("the_delivery"), ATTEMPT.c.epoch == bindparam("the_epoch"))
    .values(
        finished_at=bindparam("the_end", type_=UtcDateTime),
        outcome=bindparam("the_outcome"),
        provider_status=bindparam("the_status"),
        retry_after_s=bindparam("the_wait"),
        text=bindparam("the_text"),
        # What followed is told by the attempt that decided it; one that lost its lease changes nothing.
        next_state=func.coalesce(bindparam("the_next"), ATTEMPT.c.next_state),
        next_attempt_at=func.coalesce(bindparam("the_time", type_=UtcDateTime), ATTEMPT.c.next_attempt_at),
    )
)


@dataclass(frozen=True, slots=True)
class _Next:
    state: DeliveryState
    at: datetime | None = None


def finish(
    claim: Claim, outcome: Outcome, *, to_inbox: bool = False, template_error: str | None = None
) -> DeliveryState | None:
    """Record the attempt and move the delivery on; return its new state.

    A failure counts only while the claim holds (None: the lease was lost, another attempt decides); a
    success always counts, since what the provider has taken must not be sent again.
    """
    with transaction() as session:
        now = db_now(session)
        planned = _plan(claim, outcome, now)
        moved = _move(session, claim, outcome, planned, now)
        reached = DeliveryState(moved.state) if moved else None
        _record(session, claim, outcome, now, _Next(reached, planned.at) if reached else None)
        if template_error is not None:
            _tell_template(session, claim, template_error, now)
        _tell_channel(session, claim, outcome, now)
        _tell_breaker(session, claim, outcome, now)
        if moved is not None:
            inbox = to_inbox and reached is DeliveryState.DELIVERED
            changed = states.refresh_one(session, moved.notification_id, now, inbox=inbox)
            event_after_commit(session, "delivery", [changed], inbox=inbox)
            took = now - (changed.send_at or changed.created_at)
            _count(session, outcome, reached, took.total_seconds())
    log.info("delivery.attempted", outcome=outcome.kind.value, state=reached, attempt=claim.attempts)
    return reached


def note_progress(claim: Claim, progress: Mapping[str, Any]) -> None:
    """Store what of a delivery has gone already, while its claim holds."""
    with transaction() as session:
        session.execute(
            update(Delivery)
            .where(Delivery.id == claim.delivery_id, Delivery.epoch == claim.epoch)
            .values(progress=dict(progress))
            .execution_options(synchronize_session=False)
        )


def _plan(claim: Claim, outcome: Outcome, now: datetime) -> _Next:
    if outcome.kind is OutcomeKind.OK:
        return _Next(DeliveryState.DELIVERED)
    if outcome.kind is OutcomeKind.PARTLY:
        return _Next(DeliveryState.RETRYING, now + timedelta(seconds=outcome.retry_after_s or 0))
    wait = None if outcome.kind in GIVE_UP else claim.plan.wait(claim.attempts, outcome.retry_after_s)
    return _Next(DeliveryState.DEAD) if wait is None else _Next(DeliveryState.RETRYING, now + wait)


def _move(session: Session, claim: Claim, outcome: Outcome, planned: _Next, now: datetime) -> Moved | None:
    if planned.state is DeliveryState.DELIVERED:
        return states.run(
            session, _DELIVER, the_id=claim.delivery_id, the_webhook_id=claim.webhook_id, the_now=now
        )
    held = (
        Delivery.id == claim.delivery_id,
        Delivery.webhook_id == claim.webhook_id,
        Delivery.epoch == claim.epoch,
    )
    values: dict[str, Any] = {**_LET_GO, "last_error": outcome.text or outcome.kind.value}
    if outcome.progress is not None:
        values["progress"] = dict(outcome.progress)
    if outcome.kind is OutcomeKind.PARTLY:
        values["attempts"] = claim.attempts - 1  # it went as it should, and the rest has all its attempts
    later = {"next_attempt_at": planned.at} if planned.at else {"finished_at": now}
    # The request to cancel only ever comes, so what the first of these two misses the second finds.
    for state, wanted, when in (
        (planned.state, False, later),
        (DeliveryState.CANCELLED, True, {"finished_at": now}),
    ):
        asked = Delivery.cancel_requested.is_(wanted)
        moved = states.move(session, {DeliveryState.SENDING}, state, *held, asked, **values, **when)
        if moved:
            return moved[0]
    return None


def _record(session: Session, claim: Claim, outcome: Outcome, now: datetime, reached: _Next | None) -> None:
    values: dict[str, Any] = {
        "the_end": now,
        "the_outcome": outcome.kind.value,
        "the_status": outcome.provider_status,
        "the_wait": outcome.retry_after_s,
        "the_text": outcome.text,
        "the_next": reached.state.value if reached else None,
        "the_time": reached.at if reached and reached.state is DeliveryState.RETRYING else None,
    }
    attempt = {"the_delivery": claim.delivery_id, "the_epoch": claim.epoch}
    _CLOSE_ATTEMPT.run(session, **attempt, **values)


def _tell_template(session: Session, claim: Claim, error: str, now: datetime) -> None:
    """Say with the attempt and with the template that the default's words were sent instead."""
    log.warning("template.failed", template_id=claim.wording.own_id)
    its = (ATTEMPT.c.delivery_id == claim.delivery_id, ATTEMPT.c.epoch == claim.epoch)
    session.execute(update(ATTEMPT).where(*its).values(template_error=error))
    session.execute(
        update(MessageTemplate)
        .where(MessageTemplate.id == claim.wording.own_id)
        .values(failed_at=now, last_error=error)
        .execution_options(synchronize_session=False)
    )


def _count(session: Session, outcome: Outcome, reached: DeliveryState | None, took_s: float) -> None:
    counts = {f"attempt:{outcome.kind.value}": 1.0}
    if reached is DeliveryState.RETRYING and outcome.kind is not OutcomeKind.PARTLY:
        counts["retries"] = 1
    if reached is DeliveryState.DELIVERED:
        bound = next((bound for bound in BUCKETS_S if took_s <= bound), float("inf"))
        counts |= {f"le:{bound:g}": 1, "seconds": max(took_s, 0.0)}
    count_after_commit(session, **counts)


def _tell_channel(session: Session, claim: Claim, outcome: Outcome, now: datetime) -> None:
    if outcome.settings_update:
        changed = changed_settings(claim.sealed_settings, outcome.settings_update)
        _update_channel(session, claim, sealed_settings=changed, updated_at=now)
    if outcome.kind is OutcomeKind.RATE_LIMITED and outcome.retry_after_s:
        _block(session, claim, now + min(timedelta(seconds=outcome.retry_after_s), LONGEST))
    if (
        outcome.kind is OutcomeKind.PERMANENT_CHANNEL
        and claim.given_up is None
        and _update_channel(session, claim, disabled_reason=outcome.text or "refused", updated_at=now)
    ):
        log.warning("channel.disabled", channel=claim.channel)
        tell(session, events.CHANNEL_DISABLED, claim.channel, outcome.text)


def _tell_breaker(session: Session, claim: Claim, outcome: Outcome, now: datetime) -> None:
    if outcome.kind in FAILURES and breaker.failed(
        session, claim.channel, now, outcome.text, probing=claim.probing
    ):
        tell(session, events.CHANNEL_HELD, claim.channel, outcome.text)
    elif claim.failing and outcome.kind in ANSWERS and breaker.healed(session, claim.channel, now):
        tell(session, events.CHANNEL_HEALED, claim.channel)


def _update_channel(session: Session, claim: Claim, **values: Any) -> bool:
    """Change the channel if its settings are still those of the attempt: a person may have mended them."""
    done = session.execute(
        update(Channel)
        .where(
            Channel.name == claim.channel,
            Channel.builtin.is_(False),
            Channel.disabled_reason.is_(None),
            Channel.sealed_settings == claim.sealed_settings,
        )
        .values(**values)
        .returning(Channel.id)
        .execution_options(synchronize_session=False)
    )
    return done.first() is not None


def _block(session: Session, claim: Claim, until: datetime) -> None:
    session.execute(
        update(Channel)
        .where(
            Channel.name == claim.channel,
            or_(Channel.blocked_until.is_(None), Channel.blocked_until < until),
        )
        .values(blocked_until=until)
        .execution_options(synchronize_session=False)
    )
