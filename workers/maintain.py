"""The task that keeps the delivery tables in order, for installations whose scheduler asks a worker."""

from __future__ import annotations

import dramatiq

from vabhub.broker import get_broker
from vabhub.notify.sweep import sweep_once
from vabhub.queues import Queue, Task


@dramatiq.actor(
    broker=get_broker(),
    actor_name=Task.SWEEP.value,
    queue_name=Queue.MAINTENANCE.value,
    max_retries=0,
    time_limit=30_000,
)
def sweep() -> None:
    """Take expired leases back and hint what is due. Safe to run twice."""
    sweep_once()
