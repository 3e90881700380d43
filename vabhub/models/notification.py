"""What was asked (notification), one row a channel (delivery), every try (attempt), and the channels."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text, UniqueConstraint, false, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from vabhub.models.base import Base, BigId, UtcDateTime


class Notification(Base):
    """What was asked for, once."""

    __tablename__ = "notification"
    __table_args__ = (
        UniqueConstraint("source", "idempotency_key"),
        Index("ix_notification_created_at", "created_at"),
        # Each ends with the id, so that a filtered list is read in its order and only as far as needed.
        Index("ix_notification_type", "type", "id"),
        Index("ix_notification_priority", "priority", "id"),
        Index(
            "ix_notification_unsent",
            "status",
            "id",
            sqlite_where=text("status <> 'sent'"),
            postgresql_where=text("status <> 'sent'"),
        ),
        Index(
            "ix_notification_unread",
            "id",
            sqlite_where=text("read_at IS NULL AND inbox_at IS NOT NULL AND deleted_at IS NULL"),
            postgresql_where=text("read_at IS NULL AND inbox_at IS NOT NULL AND deleted_at IS NULL"),
        ),
        Index(
            "ix_notification_deleted",
            "deleted_at",
            sqlite_where=text("deleted_at IS NOT NULL"),
            postgresql_where=text("deleted_at IS NOT NULL"),
        ),
        # An id is a cursor for clients: the id of a deleted row must not come again.
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    source: Mapped[str] = mapped_column(String(100))  # who asked, e.g. "token:3"; a key is unique within it
    idempotency_key: Mapped[str | None] = mapped_column(String(255))
    request_hash: Mapped[str] = mapped_column(String(64))
    title: Mapped[str] = mapped_column(String(255))
    message: Mapped[str] = mapped_column(Text)
    type: Mapped[str] = mapped_column(String(16))
    level: Mapped[str | None] = mapped_column(String(32))
    priority: Mapped[str] = mapped_column(String(16))
    template: Mapped[str | None] = mapped_column(String(100))
    data: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    image_url: Mapped[str | None] = mapped_column(Text)
    link: Mapped[str | None] = mapped_column(Text)
    extra_metadata: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    send_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    status: Mapped[str] = mapped_column(String(16))  # derived from its deliveries in the same transaction
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    inbox_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # when it reached the inbox
    read_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # Hidden at once, removed a day later: until then its idempotency key still answers a repeated request.
    deleted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    deliveries: Mapped[list[Delivery]] = relationship(
        back_populates="notification", order_by="Delivery.id", passive_deletes=True, cascade="all"
    )


class Delivery(Base):
    """One notification on one channel. Its state is only ever changed by vabhub.notify.states."""

    __tablename__ = "delivery"
    __table_args__ = (
        UniqueConstraint("notification_id", "channel"),
        Index(
            "ix_delivery_due",
            "priority",
            "next_attempt_at",
            sqlite_where=text("state IN ('pending', 'retrying')"),
            postgresql_where=text("state IN ('pending', 'retrying')"),
        ),
        Index(
            "ix_delivery_lease",
            "lease_until",
            sqlite_where=text("state = 'sending'"),
            postgresql_where=text("state = 'sending'"),
        ),
        Index("ix_delivery_channel_state", "channel", "state"),
        Index("ix_delivery_channel", "channel", "id"),
        Index(
            "ix_delivery_unsettled",
            "id",
            "state",
            sqlite_where=text("state <> 'delivered'"),
            postgresql_where=text("state <> 'delivered'"),
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    # The same on every try, and unique among all installations: receivers drop repeats by it.
    webhook_id: Mapped[str] = mapped_column(String(64), unique=True)
    notification_id: Mapped[int] = mapped_column(
        ForeignKey("notification.id", ondelete="CASCADE"), index=True
    )
    channel: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(16))
    priority: Mapped[int]  # 0 urgent, 1 high, 2 normal, 3 low: sorts as it is served
    next_attempt_at: Mapped[datetime] = mapped_column(UtcDateTime)
    attempts: Mapped[int] = mapped_column(default=0)
    crashes: Mapped[int] = mapped_column(default=0)
    epoch: Mapped[int] = mapped_column(default=0)
    owner: Mapped[str | None] = mapped_column(String(100))
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    hint_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    cancel_requested: Mapped[bool] = mapped_column(default=False)
    last_error: Mapped[str | None] = mapped_column(Text)
    # What has already gone (recipients, parts), so that a retry does not send it twice.
    progress: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    notification: Mapped[Notification] = relationship(back_populates="deliveries")
    attempt_rows: Mapped[list[Attempt]] = relationship(
        order_by="Attempt.epoch", passive_deletes=True, cascade="all"
    )


class Attempt(Base):
    """One try: begun before the network call, finished after it, `unknown` when its worker died."""

    __tablename__ = "attempt"
    __table_args__ = (UniqueConstraint("delivery_id", "epoch"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    delivery_id: Mapped[int] = mapped_column(ForeignKey("delivery.id", ondelete="CASCADE"))
    epoch: Mapped[int]
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    outcome: Mapped[str | None] = mapped_column(String(32))
    provider_status: Mapped[int | None]
    retry_after_s: Mapped[float | None]
    text: Mapped[str | None] = mapped_column(Text)  # the provider's words, secrets removed, at most 2 KB
    # Why the words are the default's: what was wrong with the template that should have been used.
    template_error: Mapped[str | None] = mapped_column(Text)
    next_state: Mapped[str | None] = mapped_column(String(16))
    next_attempt_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Channel(Base):
    """A configured way out: settings sealed, limits, and why it is held."""

    __tablename__ = "channel"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    kind: Mapped[str] = mapped_column(String(32))
    enabled: Mapped[bool] = mapped_column(default=True)
    builtin: Mapped[bool] = mapped_column(default=False)
    sealed_settings: Mapped[str | None] = mapped_column(Text)
    rate_per_minute: Mapped[float | None]
    burst: Mapped[int | None]
    max_attempts: Mapped[int | None]
    retry_schedule_s: Mapped[list[float] | None] = mapped_column(JSON(none_as_null=True))
    blocked_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    failures: Mapped[int] = mapped_column(default=0, server_default="0")  # in a row, transient ones
    opened_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # held since; null: not held
    disabled_reason: Mapped[str | None] = mapped_column(Text)
    last_error: Mapped[str | None] = mapped_column(Text)  # of the last failure, null once it works again
    language: Mapped[str | None] = mapped_column(String(8))  # of the words sent; null: VABHUB_LOCALE
    # Told when another channel breaks and when it works again.
    alerts: Mapped[bool] = mapped_column(default=False, server_default=false())
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
