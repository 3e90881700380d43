"""Channels as a person sees them: made, changed, tried and removed; secrets go in and never come out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from sqlalchemy import select
from sqlalchemy.orm import Session

from vabhub.channels import registry
from vabhub.channels.base import MASK, secret_names
from vabhub.channels.base import Channel as Way
from vabhub.db import db_now
from vabhub.errors import Conflict, FieldError, NotFound, SettingsError, ValidationFailed
from vabhub.models import Channel
from vabhub.notify.channel_state import channel_view
from vabhub.notify.deliveries import release_hold
from vabhub.notify.sealed import open_settings, seal_settings


def _free(name: str) -> str:
    if name == "kinds":  # GET /api/channels/kinds stands beside the names
        raise ValueError("this name is reserved")
    return name


Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$"), AfterValidator(_free)]
Interval = Annotated[float, Field(ge=0, le=86400, allow_inf_nan=False)]
Schedule = Annotated[list[Interval], Field(min_length=1, max_length=50)]
Attempts = Annotated[int, Field(ge=1, le=100)]
Rate = Annotated[float, Field(gt=0, le=100_000, allow_inf_nan=False)]
Burst = Annotated[int, Field(ge=1, le=100_000)]
Language = Literal["zh", "en"]


class NewChannel(BaseModel):
    """The body of `POST /api/channels`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Name
    kind: Annotated[str, Field(max_length=32)]
    enabled: bool = True
    settings: dict[str, Any] = Field(default_factory=dict)
    rate_per_minute: Rate | None = None
    burst: Burst | None = None
    max_attempts: Attempts | None = None
    retry_schedule_s: Schedule | None = None
    language: Language | None = Field(None, description="Of the words sent; null: VABHUB_LOCALE")
    alerts: bool = Field(False, description="Hears when another channel breaks, and when it works again")


class ChannelPatch(BaseModel):
    """The body of `PATCH /api/channels/{name}`: only what is named changes; a secret of `***` stays."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    enabled: bool | None = None
    settings: dict[str, Any] | None = None
    rate_per_minute: Rate | None = None
    burst: Burst | None = None
    max_attempts: Attempts | None = None
    retry_schedule_s: Schedule | None = None
    language: Language | None = None
    alerts: bool | None = None


def kinds() -> list[dict[str, Any]]:
    """Return every kind: its name and what it is in `en` and `zh`, the JSON Schema of its settings, its rate.

    A property has `title` and `description` in English, `title_zh` and `description_zh`; a secret one
    carries `"secret": true`.
    """
    return [
        {
            "kind": name,
            "label": asdict(kind.label),
            "about": asdict(kind.about),
            "schema": kind.Settings.model_json_schema(),
            "secrets": sorted(secret_names(kind.Settings)),
            **_usual_rate(name),
        }
        for name, kind in registry.kinds().items()
    ]


def _usual_rate(kind: str) -> dict[str, Any]:
    rate, burst = registry.usual_rate(kind) or (None, None)
    return {"usual_rate_per_minute": rate, "usual_burst": burst}


def refuse_addresses(settings: Mapping[str, Any] | None) -> None:
    """Look up the names in settings and raise ValidationFailed for an address that is not called.

    It waits for DNS, so no transaction may be open.
    """
    registry.refuse_addresses(settings or {}, look_up_names=True)


def list_channels(session: Session) -> list[dict[str, Any]]:
    """Return all channels by name, secrets masked."""
    return [channel_view(row) for row in session.scalars(select(Channel).order_by(Channel.name))]


def get_channel(session: Session, name: str) -> dict[str, Any]:
    """Return one channel, secrets masked; raises NotFound."""
    return channel_view(_row(session, name))


def create_channel(session: Session, body: NewChannel) -> dict[str, Any]:
    """Store a channel; raises Conflict for a name in use, ValidationFailed naming `settings.<field>`."""
    if session.scalar(select(Channel.id).where(Channel.name == body.name)) is not None:
        raise Conflict(f"There is a channel {body.name!r} already.")
    kind = known_kind(body.kind)
    if kind.to_inbox:
        raise ValidationFailed([FieldError("kind", "The inbox exists already.", "builtin")])
    checked = _checked(body.kind, merged_settings(kind, {}, body.settings))
    now = db_now(session)
    fields = body.model_dump(exclude={"settings"})
    row = Channel(
        **fields, builtin=False, sealed_settings=seal_settings(checked), created_at=now, updated_at=now
    )
    session.add(row)
    session.flush()
    return channel_view(row)


def update_channel(session: Session, name: str, patch: ChannelPatch) -> dict[str, Any]:
    """Change a channel and let go what waited for it; raises NotFound, Conflict, ValidationFailed."""
    row = _row(session, name)
    changes = patch.model_dump(exclude_unset=True)
    if row.builtin and changes.keys() & {"enabled", "settings"}:
        raise Conflict("The inbox is always on and has nothing to set.")
    if changes.pop("enabled", None) is not None:
        row.enabled = bool(patch.enabled)
    if changes.pop("alerts", None) is not None:
        row.alerts = bool(patch.alerts)
    if (given := changes.pop("settings", None)) is not None:
        kind = known_kind(row.kind)
        merged = merged_settings(kind, stored_settings(row), given)
        row.sealed_settings = seal_settings(_checked(row.kind, merged))
    for field, value in changes.items():
        setattr(row, field, value)
    row.updated_at = db_now(session)
    if patch.enabled or given is not None:
        forget_faults(row)
    session.flush()
    if row.enabled and row.disabled_reason is None:
        release_hold(session, name)
    return channel_view(row)


def delete_channel(session: Session, name: str) -> None:
    """Remove a channel; what waits for it becomes dead with the reason. Raises NotFound, Conflict (inbox)."""
    row = _row(session, name)
    if row.builtin:
        raise Conflict("The inbox cannot be removed.")
    session.delete(row)
    session.flush()
    # Due at once: each is claimed, finds no channel, and is recorded as dead like any other attempt.
    release_hold(session, name, planned_too=True)


def _row(session: Session, name: str) -> Channel:
    row = session.scalar(select(Channel).where(Channel.name == name))
    if row is None:
        raise NotFound(f"There is no channel {name!r}.")
    return row


def known_kind(kind: str) -> type[Way]:
    """Return the class of that kind; raises ValidationFailed naming `kind`."""
    try:
        return registry.kind_of(kind)
    except NotFound as error:
        raise ValidationFailed([FieldError("kind", error.message, "unknown_kind")]) from error


def _checked(kind: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    registry.make(kind, settings)
    return dict(settings)


def merged_settings(kind: type[Way], stored: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return `stored` changed by `given`: null takes a field back to its default, `***` keeps a secret."""
    merged = dict(stored)
    hidden = secret_names(kind.Settings)
    for name, value in given.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = _unmasked(name, value, stored.get(name)) if name in hidden else value
    return merged


def _unmasked(name: str, value: Any, stored: Any) -> Any:
    if isinstance(value, Mapping):
        before = stored if isinstance(stored, Mapping) else {}
        return {key: _unmasked(f"{name}.{key}", one, before.get(key)) for key, one in value.items()}
    if value != MASK:
        return value
    if stored is None:
        raise ValidationFailed(
            [FieldError(f"settings.{name}", "There is no stored secret to keep.", "missing")]
        )
    return stored


def stored_settings(row: Channel) -> dict[str, Any]:
    """Return the stored settings; none where their key is gone, so that they can be entered again."""
    try:
        return open_settings(row.sealed_settings)
    except SettingsError:
        return {}


def forget_faults(row: Channel) -> None:
    """Let the channel begin anew: not refused, not held, nothing to wait for."""
    row.disabled_reason, row.blocked_until = None, None
    row.failures, row.opened_at, row.last_error = 0, None, None
