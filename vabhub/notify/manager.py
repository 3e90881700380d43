"""The documented Python entrance: `NotificationChannelManager().send(...)`, plain or awaited."""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from typing import Any

from pydantic import ValidationError
from sqlalchemy import select

from vabhub.db import reading, transaction
from vabhub.errors import FieldError, NotFound, ValidationFailed
from vabhub.models import Notification
from vabhub.notify.accept import Accepted, NewNotification, accept
from vabhub.notify.states import FINAL_STATUSES, NotificationStatus

SOURCE = "python"
_FIRST_PAUSE_S = 0.02
_LONGEST_PAUSE_S = 0.5


class Receipt:
    """What was stored and queued. Awaiting it gives the receipt itself, at once."""

    def __init__(self, accepted: Accepted) -> None:
        self.id = accepted.id
        self.deliveries = accepted.deliveries
        self.replayed = accepted.replayed

    def status(self) -> NotificationStatus:
        """Return the status as it is now; raises NotFound once the notification is removed."""
        with reading() as session:
            status = session.scalar(select(Notification.status).where(Notification.id == self.id))
        if status is None:
            raise NotFound(f"There is no notification {self.id}.")
        return NotificationStatus(status)

    def wait(self, timeout_s: float) -> NotificationStatus:
        """Return the status once it is final, or the one reached when `timeout_s` is over."""
        deadline = time.monotonic() + timeout_s
        pause_s = _FIRST_PAUSE_S
        while (status := self.status()) not in FINAL_STATUSES:
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                break
            time.sleep(min(pause_s, left_s))
            pause_s = min(pause_s * 1.5, _LONGEST_PAUSE_S)
        return status

    def __await__(self) -> Generator[None, None, Receipt]:
        """Let `await manager.send(…)` work as documented."""
        yield from ()
        return self

    def __repr__(self) -> str:
        return f"Receipt(id={self.id})"


class NotificationChannelManager:
    """Stores and queues notifications; the worker delivers them."""

    def send(
        self,
        title: str,
        message: str,
        channels: Sequence[str] | None = None,
        *,
        idempotency_key: str | None = None,
        **fields: Any,
    ) -> Receipt:
        """Store and queue a notification; without channels it goes to the inbox.

        `fields` are those of `POST /api/notifications`: type, priority, link, image_url, data, send_at, …
        Raises ValidationFailed naming the fields, and Conflict for a key used with another message.
        """
        given = {"title": title, "message": message, "channels": list(channels or []), **fields}
        try:
            request = NewNotification.model_validate(given)
        except ValidationError as error:
            raise ValidationFailed([_field(found) for found in error.errors(include_url=False)]) from error
        with transaction() as session:
            accepted = accept(session, request, source=SOURCE, idempotency_key=idempotency_key)
        return Receipt(accepted)


def _field(found: Any) -> FieldError:
    return FieldError(".".join(map(str, found["loc"])), str(found["msg"]), str(found["type"]))
