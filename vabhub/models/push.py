"""Browsers that want to be told, and the key that proves to their push services who tells them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from vabhub.models.base import Base, UtcDateTime


class PushSubscription(Base):
    """One browser's address at its push service; whoever knows it and its keys can write to that browser."""

    __tablename__ = "push_subscription"

    id: Mapped[int] = mapped_column(primary_key=True)
    endpoint_hash: Mapped[str] = mapped_column(String(64), unique=True)
    sealed: Mapped[str] = mapped_column(Text)  # endpoint, p256dh and auth as JSON
    owner: Mapped[str] = mapped_column(String(100))  # the account that allowed it
    browser: Mapped[str | None] = mapped_column(String(255))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class PushKey(Base):
    """The one pair of keys of this installation (VAPID, RFC 8292)."""

    __tablename__ = "push_key"

    id: Mapped[int] = mapped_column(primary_key=True)
    sealed_private_key: Mapped[str] = mapped_column(Text)  # PEM
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
