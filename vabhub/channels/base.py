"""What every channel is: its settings, the message it gets, and the one kind of answer it gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, Protocol, cast

from pydantic import BaseModel, ConfigDict, Field


class OutcomeKind(StrEnum):
    """What a provider's answer means for the delivery and for its channel."""

    OK = "ok"  # the provider's own success signal was seen
    TRANSIENT = "transient"  # not delivered, may work later
    RATE_LIMITED = "rate_limited"  # not delivered, not before `retry_after_s`
    PERMANENT_CHANNEL = "permanent_channel"  # nothing will go over this channel until a person mends it
    PERMANENT_MESSAGE = "permanent_message"  # this message can never go
    UNCERTAIN = "uncertain"  # the request left, the answer did not come: may have been delivered


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of one attempt.

    `text` may hold what the provider wrote; it is redacted before it is stored. `settings_update` are
    settings the provider told us to change (a migrated chat). `progress` is handed back with the next
    attempt of the same delivery, so that what has gone is not sent twice.
    """

    kind: OutcomeKind
    text: str = ""
    provider_status: int | None = None
    retry_after_s: float | None = None
    settings_update: Mapping[str, Any] | None = None
    progress: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One notification, rendered for one channel. `id` is the same on every attempt of a delivery.

    `markdown` is `text` written as Markdown, where a template gives one.
    """

    id: str
    title: str
    text: str
    type: str
    priority: str
    created_at: datetime
    link: str | None = None
    image_url: str | None = None
    markdown: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    progress: Mapping[str, Any] = field(default_factory=dict)


class ChannelSettings(BaseModel):
    """Base of every channel's settings: frozen, and an unknown key is an error that names it."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class Channel(Protocol):
    """One provider. An instance is made for one attempt and holds no connection of its own.

    `to_inbox` marks the channel whose success puts the notification into the inbox.
    """

    kind: ClassVar[str]
    to_inbox: ClassVar[bool]
    Settings: ClassVar[type[ChannelSettings]]

    def __init__(self, settings: Any) -> None: ...

    def send(self, message: Message) -> Outcome:
        """Try once, within 20 s, and say how it ended; never raises for what a provider does."""
        ...


def secret_field(default: Any = ..., **options: Any) -> Any:
    """Return a settings field that is written and never read back."""
    return Field(default, json_schema_extra={"secret": True}, **options)


def secret_names(settings: type[BaseModel]) -> frozenset[str]:
    """Return the names of the fields that `secret_field` made."""
    return frozenset(
        name for name, info in settings.model_fields.items() if _is_secret(info.json_schema_extra)
    )


def _is_secret(extra: Any) -> bool:
    return isinstance(extra, dict) and bool(cast(dict[str, Any], extra).get("secret"))
