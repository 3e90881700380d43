"""Templates that people wrote: the words of an event, for a channel and a language or for any."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from vabhub.models.base import Base, UtcDateTime


class MessageTemplate(Base):
    """Jinja sources; an empty channel or language stands for any, so that the constraint holds."""

    __tablename__ = "template"
    __table_args__ = (UniqueConstraint("event", "channel", "language"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    event: Mapped[str] = mapped_column(String(100))
    channel: Mapped[str] = mapped_column(String(64), default="", server_default="")
    language: Mapped[str] = mapped_column(String(8), default="", server_default="")
    subject: Mapped[str | None] = mapped_column(Text)  # null: the title as it came
    body: Mapped[str] = mapped_column(Text)
    markdown: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    failed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # when it last fell back to the default
    last_error: Mapped[str | None] = mapped_column(Text)
