"""The negative control: the same POST as an ordinary Dramatiq actor with Retries, and no database."""

from __future__ import annotations

import os

import dramatiq
import httpx
from dramatiq.brokers.redis import RedisBroker

RETRY_S = 25

broker = RedisBroker(url=os.environ["CHAOS_REDIS_URL"])
dramatiq.set_broker(broker)
_client = httpx.Client(timeout=10)


@dramatiq.actor(max_retries=10, min_backoff=RETRY_S * 1000, max_backoff=RETRY_S * 1000)
def send(number: int) -> None:
    """Send one message."""
    headers = {"webhook-id": f"plain-{number}"}
    _client.post(f"{os.environ['CHAOS_SINK_URL']}/plain", headers=headers).raise_for_status()
