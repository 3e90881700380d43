"""Templates as a person sees them: written, tried on an example, refused with line and reason when broken."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from sqlalchemy import select
from sqlalchemy.orm import Session

from vabhub.clock import isoformat
from vabhub.db import db_now
from vabhub.errors import Conflict, FieldError, NotFound, ValidationFailed
from vabhub.models import Channel, MessageTemplate
from vabhub.notify.accept import Text
from vabhub.notify.default_words import Texts
from vabhub.notify.trial import trial_faults

FIELDS = ("subject", "body", "markdown")


def _empty_is_none(text: str | None) -> str | None:
    return text if text and text.strip() else None


Event = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_.-]{0,99}$")]
ChannelName = Annotated[str, Field(min_length=1, max_length=64)]
Language = Literal["zh", "en"]
Source = Annotated[Text, Field(max_length=16_384)]
OptionalSource = Annotated[Source | None, AfterValidator(_empty_is_none)]


class NewTemplate(BaseModel):
    """The body of `POST /api/templates` and of `PUT /api/templates/{id}`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    event: Event = Field(description="The `template` that a notification names, or an event of the hub's own")
    channel: ChannelName | None = Field(None, description="For this channel only; null: for any")
    language: Language | None = Field(None, description="For channels of this language only; null: for any")
    subject: OptionalSource = Field(None, description="Jinja; null: the title as it came")
    body: Annotated[Source, Field(min_length=1, description="Jinja")]
    markdown: OptionalSource = Field(None, description="Jinja, for channels that take Markdown; null: body")

    def texts(self) -> Texts:
        """Return the three sources."""
        return Texts(self.subject, self.body, self.markdown)


def list_templates(session: Session) -> list[dict[str, Any]]:
    """Return all templates, by event, then channel, then language."""
    order = (MessageTemplate.event, MessageTemplate.channel, MessageTemplate.language)
    return [template_view(row) for row in session.scalars(select(MessageTemplate).order_by(*order))]


def get_template(session: Session, template_id: int) -> dict[str, Any]:
    """Return one template; raises NotFound."""
    return template_view(_row(session, template_id))


def create_template(session: Session, body: NewTemplate) -> dict[str, Any]:
    """Store a template; raises ValidationFailed with line and reason, Conflict where there is one already."""
    check_template(session, body)
    _check_free(session, body, None)
    now = db_now(session)
    row = MessageTemplate(**_columns(body), created_at=now, updated_at=now)
    session.add(row)
    session.flush()
    return template_view(row)


def replace_template(session: Session, template_id: int, body: NewTemplate) -> dict[str, Any]:
    """Replace a template; raises NotFound, Conflict and ValidationFailed; then the old one stays."""
    row = _row(session, template_id)
    check_template(session, body)
    _check_free(session, body, template_id)
    for name, value in _columns(body).items():
        setattr(row, name, value)
    row.updated_at, row.failed_at, row.last_error = db_now(session), None, None
    session.flush()
    return template_view(row)


def delete_template(session: Session, template_id: int) -> None:
    """Remove a template: the default takes its place. Raises NotFound."""
    session.delete(_row(session, template_id))


def check_template(session: Session, body: NewTemplate) -> None:
    """Raise ValidationFailed for a channel that cannot have one, and for each text that is broken."""
    wrong = [
        FieldError(fault.field, fault.message, "template_error")
        for fault in trial_faults(body.texts(), body.event, body.language)
    ]
    if body.channel is not None:
        wrong += _channel_faults(session, body.channel)
    if wrong:
        raise ValidationFailed(wrong, "The template is broken.")


def template_view(row: MessageTemplate) -> dict[str, Any]:
    """Return a template as JSON; null stands for any channel and any language."""
    return {
        "id": row.id,
        "event": row.event,
        "channel": row.channel or None,
        "language": row.language or None,
        "subject": row.subject,
        "body": row.body,
        "markdown": row.markdown,
        "created_at": isoformat(row.created_at),
        "updated_at": isoformat(row.updated_at),
        "failed_at": isoformat(row.failed_at) if row.failed_at else None,
        "last_error": row.last_error,
    }


def _row(session: Session, template_id: int) -> MessageTemplate:
    row = session.get(MessageTemplate, template_id)
    if row is None:
        raise NotFound(f"There is no template {template_id}.")
    return row


def _columns(body: NewTemplate) -> dict[str, Any]:
    return body.model_dump() | {"channel": body.channel or "", "language": body.language or ""}


def _check_free(session: Session, body: NewTemplate, template_id: int | None) -> None:
    same = session.scalar(
        select(MessageTemplate.id).where(
            MessageTemplate.event == body.event,
            MessageTemplate.channel == (body.channel or ""),
            MessageTemplate.language == (body.language or ""),
        )
    )
    if same is not None and same != template_id:
        raise Conflict(
            "There is a template for this event, channel and language already.", details={"id": same}
        )


def _channel_faults(session: Session, name: str) -> list[FieldError]:
    row = session.scalar(select(Channel).where(Channel.name == name))
    if row is None:
        return [FieldError("channel", f"There is no channel {name!r}.", "unknown_channel")]
    if row.builtin:
        text = "The inbox shows title and message as they came."
        return [FieldError("channel", text, "builtin")]
    return []
