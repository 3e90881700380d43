"""Tries templates on examples and on what was really sent, so that a fault shows before the first message."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from vabhub.channels.base import Message
from vabhub.clock import isoformat, utcnow
from vabhub.errors import NotFound
from vabhub.models import MessageTemplate, Notification
from vabhub.notify import events
from vabhub.notify.alarms import event_message
from vabhub.notify.default_words import LANGUAGES, Texts, default_language, default_texts
from vabhub.notify.render import FieldFault, render_field, values_of
from vabhub.sandbox import TemplateFault, compile_template, unknown_name

_PLAIN_SAMPLES = {
    "en": ("Severance: S02E05", "“Trojan's Horse” was added to the library: 2160p, 6.3 GiB."),
    "zh": ("人生切割术 S02E05", "《特洛伊木马》已入库：2160p，6.3 GiB。"),
}
_RECENT = 5
_DATA_IS_KNOWN = frozenset(events.EVENTS) - {events.PLAIN}


class Preview(BaseModel):
    """The body of `POST /api/templates/preview`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    event: Annotated[str, StringConstraints(max_length=100)] = events.PLAIN
    channel: Annotated[str, Field(max_length=64)] | None = None
    language: Literal["zh", "en"] | None = None
    subject: Annotated[str, Field(max_length=16_384)] | None = None
    body: Annotated[str, Field(max_length=16_384)] = ""
    markdown: Annotated[str, Field(max_length=16_384)] | None = None
    notification_id: int | None = Field(
        None, ge=1, le=999_999_999, description="Try it on what was sent; null: an example"
    )


def sample(event: str, language: str | None = None, channel: str | None = None) -> dict[str, Any]:
    """Return the values that a template of this event is tried on."""
    language = language or default_language()
    channel = channel or "phone"
    known = events.EVENTS.get(event, events.EVENTS[events.PLAIN])
    if known.name == events.PLAIN:
        title, text = _PLAIN_SAMPLES[language]
        message = Message(
            id="",
            title=title,
            text=text,
            type=known.type,
            priority=known.priority,
            created_at=utcnow(),
            link="https://example.org/shows/severance",
            data=known.data,
        )
    else:
        data = dict(known.data)
        message = event_message(event, data, utcnow(), channel=channel, language=language)
    return values_of(message, event, channel, language)


def trial_faults(texts: Texts, event: str, language: str | None) -> Iterator[FieldFault]:
    """Yield what is wrong with each text, tried on the event's example in the languages it is for.

    What comes in `data` is known for the hub's own events only: for others a value may be missing.
    """
    for name in ("subject", "body", "markdown"):
        source = getattr(texts, name)
        if source is not None and (fault := _fault(name, source, event, language)) is not None:
            yield fault


def preview(session: Session, asked: Preview) -> dict[str, Any]:
    """Return the three texts as they would be sent, and for each that fails `errors` with line and reason.

    Raises NotFound for a notification that is not there.
    """
    values = sample(asked.event, asked.language, asked.channel)
    if asked.notification_id is not None:
        values |= _real_values(session, asked.notification_id)
    made: dict[str, str | None] = {}
    errors = []
    for name in ("subject", "body", "markdown"):
        source = getattr(asked, name) or None
        try:
            made[name] = render_field(name, source, values)
        except FieldFault as fault:
            made[name] = None
            errors.append({"field": name, "line": fault.line, "message": fault.message})
    if made["subject"] is None and not asked.subject:
        made["subject"] = values["title"]
    return {**made, "errors": errors}


def list_events(session: Session) -> list[dict[str, Any]]:
    """Return the hub's own events and those of written templates, with example values and shipped words."""
    written = session.scalars(select(MessageTemplate.event).distinct())
    names = [*events.EVENTS, *sorted(set(written) - set(events.EVENTS))]
    return [
        {
            "event": name,
            "builtin": name in events.EVENTS,
            "variables": {key: _shown(value) for key, value in sample(name).items()},
            "defaults": {language: _texts(default_texts(name, language)) for language in LANGUAGES},
        }
        for name in names
    ]


def recent(session: Session, event: str) -> list[dict[str, Any]]:
    """Return the newest notifications of an event, to try a template on."""
    query = (
        select(Notification.id, Notification.title, Notification.created_at)
        .where(func.coalesce(Notification.template, events.PLAIN) == event, Notification.deleted_at.is_(None))
        .order_by(Notification.id.desc())
        .limit(_RECENT)
    )
    return [
        {"id": row.id, "title": row.title, "created_at": isoformat(row.created_at)}
        for row in session.execute(query)
    ]


def _fault(name: str, source: str, event: str, language: str | None) -> FieldFault | None:
    try:
        compile_template(source)
        if (unknown := unknown_name(source, events.VARIABLES)) is not None:
            return FieldFault(name, unknown)
        for tried in (language,) if language else LANGUAGES:
            render_field(name, source, sample(event, tried))
    except FieldFault as fault:
        return None if fault.missing and event not in _DATA_IS_KNOWN else fault
    except TemplateFault as fault:
        return FieldFault(name, fault)
    return None


def _real_values(session: Session, notification_id: int) -> Mapping[str, Any]:
    row = session.get(Notification, notification_id)
    if row is None or row.deleted_at is not None:
        raise NotFound(f"There is no notification {notification_id}.")
    names = ("title", "message", "type", "priority", "link", "image_url", "created_at")
    return {name: getattr(row, name) for name in names} | {"data": row.data or {}}


def _shown(value: Any) -> Any:
    return isoformat(value) if hasattr(value, "isoformat") else value


def _texts(texts: Texts | None) -> dict[str, str | None] | None:
    if texts is None:
        return None
    return {"subject": texts.subject, "body": texts.body, "markdown": texts.markdown}
