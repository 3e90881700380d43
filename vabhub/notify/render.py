"""Turns a stored notification into the message that a channel is given, in the words that were chosen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Row

from vabhub.channels.base import Message
from vabhub.notify import events
from vabhub.notify.default_words import Texts, default_texts
from vabhub.sandbox import TemplateFault, compile_template

LONGEST_TITLE = 255


@dataclass(frozen=True, slots=True)
class Wording:
    """Which words a delivery gets: a person's own template, else the event's shipped ones."""

    event: str
    channel: str
    language: str
    own_id: int | None = None
    own: Texts | None = None


class FieldFault(TemplateFault):
    """A fault in one of the three sources: `field` is subject, body or markdown."""

    def __init__(self, field: str, fault: TemplateFault) -> None:
        super().__init__(fault.reason, fault.line, missing=fault.missing)
        self.field = field


def message_of(row: Row[Any]) -> Message:
    """Return the message of a claimed row as it came; its id is the delivery's, the same on every try."""
    return Message(
        id=row.webhook_id,
        title=row.title,
        text=row.message,
        type=row.type,
        priority=row.priority_name,
        created_at=row.created_at,
        link=row.link,
        image_url=row.image_url,
        data=row.data or {},
        progress=row.progress or {},
    )


def wording_of(row: Row[Any], language: str) -> Wording:
    """Return which words a claimed row gets; `language` is for a channel that has none of its own."""
    own = None if row.template_id is None else Texts(row.subject, row.body, row.markdown)
    event = row.event or events.PLAIN
    return Wording(event, row.channel, row.language or language, row.template_id, own)


def render(message: Message, wording: Wording) -> tuple[Message, str | None]:
    """Return the message in its words, and what was wrong where they are not those that were chosen.

    A template that fails falls back to the event's shipped words, and those to the title and text as they
    came: a message is never lost for its looks.
    """
    shipped = None if wording.event == events.PLAIN else default_texts(wording.event, wording.language)
    error = None
    for texts in (wording.own, shipped):
        if texts is not None:
            try:
                return _reworded(message, texts, wording), error
            except FieldFault as fault:
                error = error or f"{fault.field}, {fault.message}"
    return message, error


def render_texts(texts: Texts, values: Mapping[str, Any]) -> Texts:
    """Return the three texts rendered; raises FieldFault."""
    subject = render_field("subject", texts.subject, values)
    body = render_field("body", texts.body, values) or ""
    return Texts(subject, body, render_field("markdown", texts.markdown, values))


def render_field(field: str, source: str | None, values: Mapping[str, Any]) -> str | None:
    """Return one text rendered, a subject on one line; raises FieldFault."""
    if source is None:
        return None
    try:
        text = compile_template(source).render(values)
    except TemplateFault as fault:
        raise FieldFault(field, fault) from fault
    if not text.strip() and values["message"].strip() and field != "subject":
        raise FieldFault(field, TemplateFault("the text came out empty", missing=True))
    return " ".join(text.split())[:LONGEST_TITLE] if field == "subject" else text


def values_of(message: Message, event: str, channel: str, language: str) -> dict[str, Any]:
    """Return what a template may use, see `events.VARIABLES`."""
    return {
        "title": message.title,
        "message": message.text,
        "type": message.type,
        "priority": message.priority,
        "link": message.link,
        "image_url": message.image_url,
        "created_at": message.created_at,
        "event": event,
        "channel": channel,
        "language": language,
        "data": message.data,
    }


def _reworded(message: Message, texts: Texts, wording: Wording) -> Message:
    values = values_of(message, wording.event, wording.channel, wording.language)
    made = render_texts(texts, values)
    return replace(message, title=made.subject or message.title, text=made.body, markdown=made.markdown)
