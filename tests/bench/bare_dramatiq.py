"""The first yardstick: the same POST as a bare Dramatiq actor on VabHub's own broker, with no database."""

from __future__ import annotations

import dramatiq

from tests.bench.post import post
from vabhub.broker import get_broker


@dramatiq.actor(broker=get_broker(), max_retries=0)
def deliver(number: int, title: str, message: str) -> None:
    """Send one message."""
    post(number, title, message)
