"""What every channel is: its settings, the message it gets, and the one kind of answer it gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, Protocol, cast

from pydantic import BaseModel, ConfigDict, Field

from vabhub.channels.text import clean, one_line

# What stands for a secret wherever settings are shown; given back, it means the stored one.
MASK = "***"


class OutcomeKind(StrEnum):
    """What a provider's answer means for the delivery and for its channel."""

    OK = "ok"  # the provider's own success signal was seen
    TRANSIENT = "transient"  # not delivered, may work later
    RATE_LIMITED = "rate_limited"  # not delivered, not before `retry_after_s`
    PERMANENT_CHANNEL = "permanent_channel"  # nothing will go over this channel until a person mends it
    PERMANENT_MESSAGE = "permanent_message"  # this message can never go
    UNCERTAIN = "uncertain"  # the request left, the answer did not come: may have been delivered
    PARTLY = "partly"  # the first parts have gone, the rest waits for its turn


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of one attempt.

    `text` may hold what the provider wrote; it is redacted before it is stored. `settings_update` are
    settings the provider told us to change (a migrated chat). `progress` is handed back with the next
    attempt of the same delivery, so that what has gone is not sent twice. `too_long` says that less text
    would have been taken.
    """

    kind: OutcomeKind
    text: str = ""
    provider_status: int | None = None
    retry_after_s: float | None = None
    settings_update: Mapping[str, Any] | None = None
    progress: Mapping[str, Any] | None = None
    too_long: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One notification, rendered for one channel. `id` is the same on every attempt of a delivery.

    `markdown` is `text` written as Markdown, where a template gives one. `turn` asks for the turn of one
    more part and returns the seconds until it comes, 0 for now; `note` writes the progress down, so that a
    worker that dies half-way does not have all of it sent again.
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
    is_retry: bool = False
    turn: Callable[[], float] = field(default=lambda: 0.0, compare=False, repr=False)
    note: Callable[[Mapping[str, Any]], None] = field(default=lambda _: None, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Leave no character in it that a provider cannot carry."""
        object.__setattr__(self, "title", one_line(self.title))
        object.__setattr__(self, "text", clean(self.text))
        object.__setattr__(self, "markdown", None if self.markdown is None else clean(self.markdown))


@dataclass(frozen=True, slots=True)
class Words:
    """A text for people in each language."""

    en: str
    zh: str


class ChannelSettings(BaseModel):
    """Base of every channel's settings: frozen, and an unknown key is an error that names it."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class Channel(Protocol):
    """One provider. An instance is made for one attempt and holds no connection of its own.

    `to_inbox` marks the channel whose success puts the notification into the inbox. A kind may also have
    `usual_rate_per_minute` and `usual_burst`, what its provider takes unless the channel says otherwise,
    and `worker_only`, when no other process may load what it needs.
    """

    kind: ClassVar[str]
    label: ClassVar[Words]  # the provider's name
    about: ClassVar[Words]  # what a person needs to have, and where to get it
    to_inbox: ClassVar[bool]
    Settings: ClassVar[type[ChannelSettings]]

    def __init__(self, settings: Any) -> None: ...

    def send(self, message: Message) -> Outcome:
        """Try once, within 20 s, and say how it ended; never raises for what a provider does."""
        ...


def setting(
    title: Words, default: Any = ..., *, hint: Words | None = None, secret: bool = False, **rules: Any
) -> Any:
    """Return a settings field as the form shows it; a `secret` one is written and never read back.

    In the JSON Schema: `title` and `description` in English, `title_zh` and `description_zh`, `secret`.
    """
    extra: dict[str, Any] = {"title_zh": title.zh} | ({"description_zh": hint.zh} if hint else {})
    extra |= {"secret": True} if secret else {}
    described = hint.en if hint else None
    return Field(default, title=title.en, description=described, json_schema_extra=extra, **rules)


def secret_names(settings: type[BaseModel]) -> frozenset[str]:
    """Return the names of the fields that are written and never read back."""
    return frozenset(
        name for name, info in settings.model_fields.items() if _is_secret(info.json_schema_extra)
    )


def _is_secret(extra: Any) -> bool:
    return isinstance(extra, dict) and bool(cast(dict[str, Any], extra).get("secret"))
