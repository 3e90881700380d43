"""What tests of notifications share: a database, a webhook channel to a sink, shorthands."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from tests.support.sink import Sink
from vabhub import clock
from vabhub.db import reading, transaction
from vabhub.models import Attempt, Delivery, Notification
from vabhub.notify.accept import Accepted, NewNotification, accept
from vabhub.notify.channels_admin import NewChannel, create_channel
from vabhub.settings import Settings

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


class Desk:
    """Shorthands for what a test arranges and looks at."""

    def channel(self, name: str, url: str, **fields: Any) -> None:
        """Make a webhook channel."""
        settings = {"url": url, "secret": SECRET, **fields.pop("settings", {})}
        body = NewChannel(name=name, kind="webhook", settings=settings, **fields)
        with transaction() as session:
            create_channel(session, body)

    def accept(self, *channels: str, key: str | None = None, source: str = "test", **fields: Any) -> Accepted:
        """Accept a notification."""
        given = {"title": "Hello", "message": "world", "channels": list(channels), **fields}
        with transaction() as session:
            return accept(session, NewNotification.model_validate(given), source=source, idempotency_key=key)

    def delivery_id(self, accepted: Accepted) -> int:
        """Return the id of the only delivery."""
        (only,) = accepted.deliveries
        number: int = only["id"]
        return number

    def delivery(self, delivery_id: int) -> Delivery:
        """Return a delivery as it is now."""
        with reading() as session:
            found = session.get_one(Delivery, delivery_id)
            session.expunge(found)
            return found

    def notification(self, notification_id: int) -> Notification:
        """Return a notification as it is now."""
        with reading() as session:
            found = session.get_one(Notification, notification_id)
            session.expunge(found)
            return found

    def attempts(self, delivery_id: int) -> list[Attempt]:
        """Return a delivery's attempts in order."""
        with reading() as session:
            query = select(Attempt).where(Attempt.delivery_id == delivery_id).order_by(Attempt.epoch)
            found = list(session.scalars(query))
            session.expunge_all()
            return found

    def age(self, delivery_id: int, **columns: timedelta) -> None:
        """Move times of a delivery into the past, as if so much time had gone by."""
        with transaction() as session:
            row = session.get_one(Delivery, delivery_id)
            for name, by in columns.items():
                setattr(row, name, getattr(row, name) - by)


@pytest.fixture
def desk(database: Settings, redis: None) -> Desk:
    """A migrated, empty database (SQLite, then PostgreSQL) and an empty Redis."""
    return Desk()


@pytest.fixture
def hook(desk: Desk, sink: Sink) -> Sink:
    """A sink behind a channel named `hook`."""
    desk.channel("hook", sink.url + "/in")
    return sink


@pytest.fixture
def fixed_now() -> Iterator[datetime]:
    """A clock that stands still."""
    now = datetime(2026, 11, 23, 22, 12, 27, 123456, tzinfo=UTC)
    with clock.frozen(lambda: now):
        yield now
