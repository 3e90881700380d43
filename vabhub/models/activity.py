"""What happened in the stack, for the feed on the page."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from vabhub.models.base import Base, BigId, UtcDateTime


class Activity(Base):
    """One event: a scan that ended, a download that finished, a source that came or went."""

    __tablename__ = "activity"
    __table_args__ = (Index("ix_activity_at", "at"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    kind: Mapped[str] = mapped_column(String(64))  # dotted, e.g. "library.scan_done"
    source: Mapped[str] = mapped_column(String(64))
    title: Mapped[str] = mapped_column(Text)
    data: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
