"""The task that delivers: it runs on the queue of the notification's priority."""

from __future__ import annotations

import dramatiq

from vabhub.broker import get_broker
from vabhub.notify import send
from vabhub.queues import Queue, Task


# No retries and no delay here: both live in the database, where a restart of Redis cannot lose them.
@dramatiq.actor(
    broker=get_broker(),
    actor_name=Task.DELIVER.value,
    queue_name=Queue.DEFAULT.value,
    max_retries=0,
    time_limit=30_000,  # shorter than the lease of 45 s, longer than a channel's 20 s
)
def deliver(delivery_id: int) -> None:
    """Attempt one delivery, if it is due and free. Safe to run twice."""
    send.deliver(delivery_id)
