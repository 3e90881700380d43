"""A channel as JSON: its settings without secrets, and in what state it is and why."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from vabhub import clock
from vabhub.channels import registry
from vabhub.channels.base import MASK, secret_names
from vabhub.channels.base import Channel as Way
from vabhub.errors import NotFound, SettingsError
from vabhub.models import Channel
from vabhub.notify.sealed import open_settings


class ChannelState(StrEnum):
    """What a channel does with a message now."""

    ON = "on"
    FAILING = "failing"  # the last attempt failed; it is tried on
    WAITING = "waiting"  # the provider asked to wait
    HELD = "held"  # it kept failing: one message at a time finds out whether it works again
    REFUSED = "refused"  # the provider said that nothing will go; a person has to mend it
    UNREADABLE = "unreadable"  # its settings were sealed with a key that is gone, or its kind is unknown
    OFF = "off"  # switched off by a person


def channel_view(row: Channel) -> dict[str, Any]:
    """Return a channel as JSON, every secret as `***`; one that cannot be opened says so in its state."""
    settings, fault = _settings(row)
    state, reason, until = _state(row, fault, clock.utcnow())
    return {
        "name": row.name,
        "kind": row.kind,
        "enabled": row.enabled,
        "builtin": row.builtin,
        "state": state.value,
        "state_reason": reason,
        "state_until": _time(until),
        "settings": settings,
        "rate_per_minute": row.rate_per_minute,
        "burst": row.burst,
        "max_attempts": row.max_attempts,
        "retry_schedule_s": row.retry_schedule_s,
        "language": row.language,
        "alerts": row.alerts,
        "failures": row.failures,
        "last_error": row.last_error,
        "opened_at": _time(row.opened_at),
        "disabled_reason": row.disabled_reason,
        "blocked_until": _time(row.blocked_until),
        "created_at": clock.isoformat(row.created_at),
        "updated_at": clock.isoformat(row.updated_at),
    }


def masked(kind: type[Way], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings with `***` in place of every secret."""
    hidden = secret_names(kind.Settings)
    return {name: _mask(value) if name in hidden else value for name, value in settings.items()}


def _settings(row: Channel) -> tuple[dict[str, Any], str | None]:
    try:
        return masked(registry.kind_of(row.kind), open_settings(row.sealed_settings)), None
    except (SettingsError, NotFound) as error:
        return {}, error.message


def _state(
    row: Channel, fault: str | None, now: datetime
) -> tuple[ChannelState, str | None, datetime | None]:
    waits = row.blocked_until if row.blocked_until is not None and row.blocked_until > now else None
    if not row.enabled:
        return ChannelState.OFF, row.disabled_reason, None
    if fault is not None:
        return ChannelState.UNREADABLE, fault, None
    if row.disabled_reason is not None:
        return ChannelState.REFUSED, row.disabled_reason, None
    if row.opened_at is not None:
        return ChannelState.HELD, row.last_error, waits
    if waits is not None:
        return ChannelState.WAITING, None, waits
    return (ChannelState.FAILING, row.last_error, None) if row.failures else (ChannelState.ON, None, None)


def _mask(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _mask(one) for key, one in value.items()}
    return MASK if value else value


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else clock.isoformat(moment)
