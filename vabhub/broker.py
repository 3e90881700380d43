"""The Dramatiq broker, with the settings that were measured."""

from __future__ import annotations

import dramatiq
from dramatiq.brokers.redis import RedisBroker
from dramatiq.middleware import AgeLimit, Middleware, ShutdownNotifications, TimeLimit

from vabhub.redis_client import get_queue_redis

_broker: RedisBroker | None = None


def get_broker() -> RedisBroker:
    """Return this process's broker, making it (and Dramatiq's default) on the first call.

    There is no Retries middleware: retries live in the database (`delivery.next_attempt_at`), because what
    Dramatiq keeps in Redis for later was measured to stay stuck after a restart of Redis.
    """
    global _broker
    if _broker is None:
        _broker = RedisBroker(  # type: ignore[no-untyped-call]
            client=get_queue_redis(answer_timeout_s=2),
            middleware=_middleware(),
            # A killed worker's messages come back after 15 s instead of minutes.
            heartbeat_timeout=15_000,
            maintenance_chance=50_000,
            dead_message_ttl=3_600_000,
        )
        dramatiq.set_broker(_broker)
    return _broker


def reset_broker() -> None:
    """Forget the broker; the next call makes one from the settings of then (tests)."""
    global _broker
    if _broker is not None:
        _broker.close()
        _broker = None


def _middleware() -> list[Middleware]:
    limit = TimeLimit(time_limit=30_000, interval=1_000)
    return [AgeLimit(), limit, ShutdownNotifications(), NoRetries()]


class NoRetries(Middleware):
    """Lets an actor state `max_retries=0`: without Retries nobody else declares that option."""

    @property
    def actor_options(self) -> set[str]:
        """Return the option's name."""
        return {"max_retries"}
