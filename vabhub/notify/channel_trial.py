"""Tries a channel the real way: a test message over saved settings, or over settings not saved yet."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, replace
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select

from vabhub import clock
from vabhub.channels import child, registry
from vabhub.channels.base import Message, OutcomeKind
from vabhub.db import db_now, reading, transaction
from vabhub.errors import NotFound
from vabhub.models import Channel
from vabhub.notify.alarms import event_message
from vabhub.notify.channels_admin import forget_faults, known_kind, merged_settings, stored_settings
from vabhub.notify.default_words import default_language
from vabhub.notify.deliveries import release_hold
from vabhub.notify.events import CHANNEL_TEST
from vabhub.notify.redact import redact, secrets_of


class ChannelTrial(BaseModel):
    """The body of `POST /api/channels/{name}/test`: nothing, or settings that are not saved yet."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Annotated[str, Field(max_length=32)] | None = None
    settings: dict[str, Any] | None = None


def test_channel(name: str, trial: ChannelTrial | None = None) -> dict[str, Any]:
    """Send a test message over a saved channel, or over settings not saved yet, and say how it ended.

    A saved channel that was held or refused and takes the message is `healed`: what waits for it goes.
    Opens its own sessions and holds none while it sends. Raises NotFound and ValidationFailed.
    """
    trial = trial or ChannelTrial()
    tried = _trial(name, trial)
    way = registry.make(tried.kind, tried.settings)
    started = time.perf_counter()
    message = _test_message(name, tried.language)
    alone = getattr(way, "worker_only", False)
    outcome = child.send(tried.kind, tried.settings, message) if alone else way.send(message)
    works = outcome.kind is OutcomeKind.OK
    return {
        "healed": works and trial.settings is None and _heal(name, tried.sealed),
        "ok": works,
        "outcome": outcome.kind.value,
        "provider_status": outcome.provider_status,
        "retry_after_s": outcome.retry_after_s,
        "text": redact(outcome.text, secrets_of(way.Settings, tried.settings)),
        "duration_ms": round((time.perf_counter() - started) * 1000, 1),
    }


test_channel.__test__ = False  # type: ignore[attr-defined]  # pytest takes it for a test otherwise


@dataclass(frozen=True, slots=True)
class _Tried:
    """What a test goes over. `sealed`: the stored settings, None for a channel that is not saved."""

    kind: str
    settings: dict[str, Any]
    sealed: str | None
    language: str


def _trial(name: str, trial: ChannelTrial) -> _Tried:
    with reading() as session:
        row = session.scalar(select(Channel).where(Channel.name == name))
        if row is None and trial.kind is None:
            raise NotFound(f"There is no channel {name!r}.")
        kind = trial.kind or (row.kind if row else "")
        stored = stored_settings(row) if row and row.kind == kind else {}
        language = (row.language if row else None) or default_language()
        sealed = row.sealed_settings if row else None
    return _Tried(kind, merged_settings(known_kind(kind), stored, trial.settings or {}), sealed, language)


def _heal(name: str, sealed: str | None) -> bool:
    """Forget the faults of a channel whose saved settings have just worked; True when there were any."""
    with transaction() as session:
        row = session.scalar(select(Channel).where(Channel.name == name))
        if row is None or row.sealed_settings != sealed or not (row.failures or row.disabled_reason):
            return False
        forget_faults(row)
        row.updated_at = db_now(session)
        session.flush()
        release_hold(session, name)
    return True


def _test_message(channel: str, language: str) -> Message:
    data = {"channel": channel}
    said = event_message(CHANNEL_TEST, data, clock.utcnow(), channel=channel, language=language)
    return replace(said, id=f"msg_test_{secrets.token_urlsafe(12)}")
