"""Names of queues and tasks, and how to enqueue by name: nobody but workers/ imports an actor."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Any

import redis
from dramatiq.brokers.redis import RedisBroker
from dramatiq.errors import BrokerError
from dramatiq.message import Message

from vabhub.errors import Unavailable
from vabhub.log import get_logger
from vabhub.redis_client import PREFIX, get_queue_redis, get_redis

log = get_logger(__name__)

WAKE_CHANNEL = f"{PREFIX}queued"


class Queue(StrEnum):
    """Where a task waits. `urgent` has a worker of its own."""

    URGENT = "urgent"
    HIGH = "high"
    DEFAULT = "normal"
    LOW = "low"
    LIBRARY = "library"
    MAINTENANCE = "maintenance"


class Task(StrEnum):
    """What a worker can be asked to do; the value is the actor's name."""

    DELIVER = "deliver"
    SWEEP = "sweep"
    SCAN_LIBRARY = "scan_library"


_broker: RedisBroker | None = None


def enqueue(task: Task, *args: Any, queue: Queue = Queue.DEFAULT, waking: bool = True) -> None:
    """Put a task into its queue; raises Unavailable within 0.5 s when Redis does not answer.

    Without `waking` the caller says `wake()` itself, once for many.
    """
    message: Message[Any] = Message(
        queue_name=queue.value, actor_name=task.value, args=args, kwargs={}, options={}
    )
    try:
        _sender().enqueue(message)
        if waking:
            wake(get_redis(), {queue})
    except (redis.RedisError, BrokerError) as error:
        raise Unavailable("The queue (Redis) does not answer.", retry_after_s=5) from error


def wake(client: redis.Redis, queues: Iterable[Queue]) -> None:
    """Let workers that sleep ask these queues at once instead of within seconds, by a client or pipeline.

    Nobody misses a word that is lost.
    """
    for queue in queues:
        client.publish(WAKE_CHANNEL, queue.value)


def hint(task: Task, *args: Any, queue: Queue = Queue.DEFAULT, waking: bool = True) -> bool:
    """Enqueue what the sweep would find anyway: a failure is logged and costs time, nothing else."""
    try:
        enqueue(task, *args, queue=queue, waking=waking)
    except Unavailable as error:
        log.warning("queue.hint_lost", task=task.value, queue=queue.value, reason=str(error.__cause__)[:200])
        return False
    return True


def untaken(queues: Iterable[Queue]) -> int | None:
    """Return how many messages in these queues no worker has taken yet; None while Redis is away."""
    try:
        with _sender().client.pipeline(transaction=False) as pipe:
            for queue in queues:
                pipe.llen(f"{_sender().namespace}:{queue.value}")
            lengths: list[int] = pipe.execute()
            return sum(lengths)
    except redis.RedisError:
        return None


def reset() -> None:
    """Forget the sender; the next call makes one from the settings of then (tests)."""
    global _broker
    if _broker is not None:
        _broker.close()
        _broker = None


def _sender() -> RedisBroker:
    # A sender of its own, with a shorter time-out than a consumer's: a request may spend 0.5 s on a hint.
    global _broker
    if _broker is None:
        sender = RedisBroker(client=get_queue_redis(answer_timeout_s=0.5), middleware=[])  # type: ignore[no-untyped-call]
        for queue in Queue:
            sender.declare_queue(queue.value)
        _broker = sender
    return _broker
