"""The task that scans a media root."""

from __future__ import annotations

import dramatiq

from vabhub.broker import get_broker
from vabhub.collectors import publish
from vabhub.collectors.library import media_stats, music_stats, run_scan
from vabhub.db import reading
from vabhub.queues import Queue, Task

_SIX_HOURS_MS = 6 * 3600 * 1000


@dramatiq.actor(
    broker=get_broker(),
    actor_name=Task.SCAN_LIBRARY.value,
    queue_name=Queue.LIBRARY.value,
    max_retries=0,
    time_limit=_SIX_HOURS_MS,
    notify_shutdown=True,
)
def scan_library(root_id: int) -> None:
    """Run the queued scan of a root and publish the new counts. Safe to run twice: a scan is claimed."""
    if not run_scan(root_id):
        return
    with reading() as session:
        snapshots = (media_stats(session), music_stats(session))
    for snapshot in snapshots:
        publish.publish_snapshot(snapshot)
