"""One delivery's way out: claim → render → channel, with no database session open → record."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from vabhub.channels import registry
from vabhub.channels.base import Channel, Message, Outcome, OutcomeKind
from vabhub.errors import Unavailable, VabHubError
from vabhub.log import bind, get_logger
from vabhub.notify import limits
from vabhub.notify.claims import Claim, claim
from vabhub.notify.record import finish, note_progress
from vabhub.notify.redact import redact, secrets_of
from vabhub.notify.render import render
from vabhub.notify.sealed import open_settings
from vabhub.notify.slots import Place
from vabhub.notify.states import DeliveryState

log = get_logger(__name__)

# How long the outcome of an attempt is kept in hand while the database does not answer. The lease (45 s)
# outlasts it and the time limit of the task.
KEEP_OUTCOME_S = 24.0
PAUSE_S = 0.5


def deliver(delivery_id: int) -> DeliveryState | None:
    """Attempt a delivery if it is due and free; safe to call at any time, any number of times.

    Returns the state it has reached, or None when there was nothing to do or the lease was lost.
    """
    bind(delivery_id=delivery_id)
    started = time.monotonic()
    with Place() as place:
        claimed = claim(delivery_id, _owner(), place)
        if claimed is None:
            log.debug("delivery.not_claimed")
            return None
        tried = attempt(claimed)
    return _record(claimed, tried, until=started + KEEP_OUTCOME_S)


@dataclass(frozen=True, slots=True)
class Tried:
    """How an attempt went. `to_inbox`: success means the inbox; `template_error`: why other words."""

    outcome: Outcome
    to_inbox: bool = False
    template_error: str | None = None


def attempt(claimed: Claim) -> Tried:
    """Put the message into its words, send it, and return the outcome without secrets."""
    if claimed.given_up is not None:
        return Tried(Outcome(OutcomeKind.PERMANENT_CHANNEL, claimed.given_up))
    try:
        settings = open_settings(claimed.sealed_settings)
        channel = registry.make(claimed.kind, settings)
    except VabHubError as error:
        return Tried(Outcome(OutcomeKind.PERMANENT_CHANNEL, redact(_explain(error), [])))
    message, template_error = render(claimed.message, claimed.wording)
    outcome = _send(channel, claimed, message)
    text = redact(outcome.text, secrets_of(channel.Settings, settings))
    return Tried(replace(outcome, text=text), channel.to_inbox, template_error)


def _send(channel: Channel, claimed: Claim, message: Message) -> Outcome:
    try:
        return channel.send(_for_this_attempt(claimed, message))
    except Exception as error:
        log.exception("channel.fault", channel=claimed.channel)
        return Outcome(OutcomeKind.UNCERTAIN, f"a fault in VabHub: {type(error).__name__}")


def _for_this_attempt(claimed: Claim, message: Message) -> Message:
    """Return the message with what its attempt adds: whether it is a retry, and the turn of further parts."""
    made = replace(message, is_retry=claimed.attempts > 1, note=partial(_note, claimed))
    if claimed.rate is None:
        return made
    return replace(made, turn=partial(limits.wait_s, claimed.channel, claimed.delivery_id, claimed.rate))


def _note(claimed: Claim, progress: Mapping[str, Any]) -> None:
    """Write down what has gone so far; the outcome says it once more."""
    try:
        note_progress(claimed, progress)
    except Unavailable as error:
        log.warning("delivery.progress_not_noted", reason=error.message)


def _record(claimed: Claim, tried: Tried, *, until: float) -> DeliveryState | None:
    """Record the outcome, waiting for a locked or restarting database: a lost outcome is a duplicate."""
    while True:
        try:
            return finish(
                claimed, tried.outcome, to_inbox=tried.to_inbox, template_error=tried.template_error
            )
        except Unavailable:
            if time.monotonic() > until:
                raise
            time.sleep(PAUSE_S)


def _explain(error: VabHubError) -> str:
    fields = getattr(error, "errors", ())
    return "; ".join(f"{found.field}: {found.message}" for found in fields) or error.message


def _owner() -> str:
    return f"{socket.gethostname()}:{os.getpid()}:{threading.get_ident()}"[:100]
