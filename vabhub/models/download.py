"""What was last seen of each download, so that a restart neither forgets nor repeats an event."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Boolean, String
from sqlalchemy.orm import Mapped, mapped_column

from vabhub.models.base import Base, UtcDateTime


class DownloadSeen(Base):
    """One download of one instance. The row without an item id stands for the instance itself: its `phase`
    says which client it was, so that another behind the same name is seen for the first time."""

    __tablename__ = "download_seen"

    instance: Mapped[str] = mapped_column(String(64), primary_key=True)
    item_id: Mapped[str] = mapped_column(String(128), primary_key=True)
    phase: Mapped[str] = mapped_column(String(64))
    since: Mapped[datetime] = mapped_column(UtcDateTime)
    added_at: Mapped[str | None] = mapped_column(
        String(40)
    )  # as the client says it; another time, another download
    added_told: Mapped[bool] = mapped_column(Boolean)
    failed_told_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    stalled_told_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
