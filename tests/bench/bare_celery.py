"""The second yardstick: the same POST as a Celery task on the same Redis, with no database."""

from __future__ import annotations

import os

from celery import Celery

from tests.bench.post import post

app = Celery("bench", broker=os.environ["BENCH_CELERY_URL"])
# Acknowledged when done, as Dramatiq does it and as VabHub's promise needs it.
app.conf.update(task_ignore_result=True, task_acks_late=True, broker_connection_retry_on_startup=True)


@app.task(name="deliver")
def deliver(number: int, title: str, message: str) -> None:
    """Send one message."""
    post(number, title, message)
