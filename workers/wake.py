"""Wakes idle consumers the moment something is enqueued, so that they need not ask Redis all the time.

Dramatiq asks each queue about once a second: up to a second of delay, and Redis writes a heartbeat to its
append-only file every time. A published word costs neither. It may get lost, so consumers ask all the same,
every few seconds.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterable

import redis
from dramatiq import Message
from dramatiq.broker import MessageProxy
from dramatiq.brokers.redis import RedisBroker, _RedisConsumer
from dramatiq.errors import ConnectionClosed

from vabhub.log import get_logger
from vabhub.queues import WAKE_CHANNEL
from vabhub.redis_client import get_pubsub_redis
from workers.outage import Outage

log = get_logger(__name__)

# Well below the broker's heartbeat_timeout: each question is this process's heartbeat, too.
ASK_ANYWAY_S = 4.0
RECONNECT_S = 2.0


class Waker:
    """Listens for the names of queues and sets their events."""

    def __init__(self) -> None:
        self._events: defaultdict[str, threading.Event] = defaultdict(threading.Event)
        self._hurry = False

    def start(self) -> None:
        """Listen in a thread that ends with the process."""
        threading.Thread(target=self._listen, name="waker", daemon=True).start()

    def wait(self, queue: str) -> None:
        """Return when something may be in the queue, or it is time to ask anyway."""
        event = self._events[queue]
        event.wait(0.05 if self._hurry else ASK_ANYWAY_S)
        event.clear()

    def wake(self, queue: str) -> None:
        """Let the queue's consumer ask now."""
        self._events[queue].set()

    def wake_all(self, *, hurry: bool = False) -> None:
        """Let every consumer ask now; `hurry` lets them wait no more, since they are to stop."""
        self._hurry = hurry
        for event in list(self._events.values()):
            event.set()

    def _listen(self) -> None:
        while not self._hurry:
            try:
                with get_pubsub_redis().pubsub() as subscription:  # type: ignore[no-untyped-call]
                    subscription.subscribe(WAKE_CHANNEL)
                    for message in subscription.listen():
                        self._heard(message)
            except (redis.RedisError, OSError) as error:
                log.debug("wake.reconnecting", reason=str(error)[:200])
                threading.Event().wait(RECONNECT_S)

    def _heard(self, message: dict[str, object]) -> None:
        data = message["data"]
        if isinstance(data, bytes):
            self.wake(data.decode())
        else:  # subscribed, anew: what was said in between went unheard
            self.wake_all()


class WakefulConsumer(_RedisConsumer):
    """Takes messages as Dramatiq's consumer does, but sleeps until it is woken."""

    def __init__(
        self, broker: RedisBroker, queue: str, prefetch: int, timeout: int, *, waker: Waker, outage: Outage
    ) -> None:
        super().__init__(broker, queue, prefetch, timeout)  # type: ignore[no-untyped-call]
        self._waker = waker
        self._outage = outage

    def __next__(self) -> MessageProxy | None:
        """Return the next message, or None after a wait, for the caller to look whether it is to stop."""
        room = self.prefetch - self.outstanding_message_count
        if not self.message_cache and room > 0 and not self._fetch(room):
            return None
        while self.message_cache:
            data = self.message_cache.pop(0)
            if data is not None:  # an id whose message is gone
                message: Message[object] = Message.decode(data)
                self.queued_message_ids.add(message.message_id)
                return MessageProxy(message)
        self._waker.wait(self.queue_name)
        return None

    def _fetch(self, room: int) -> bool:
        """Ask for messages; False after a time-out.

        Any other loss of Redis ends this consumer, and Dramatiq starts another three seconds later. An answer
        that was lost on its way is no reason for that: two seconds have been waited already.
        """
        try:
            with self._outage.watch(self.queue_name):
                self.message_cache = self.broker.do_fetch(self.queue_name, room)
        except ConnectionClosed as error:
            if isinstance(error.args[0], redis.TimeoutError):
                return False
            raise
        return True

    def ack(self, message: MessageProxy) -> None:
        """Acknowledge; then there is room for another.

        Again at once when the answer was lost: Dramatiq would keep the thread for five seconds before.
        """
        with self._outage.watch(self.queue_name):
            try:
                super().ack(message)  # type: ignore[no-untyped-call]
            except redis.TimeoutError:
                super().ack(message)  # type: ignore[no-untyped-call]
        self._waker.wake(self.queue_name)

    def nack(self, message: MessageProxy) -> None:
        """Refuse; then there is room for another."""
        with self._outage.watch(self.queue_name):
            super().nack(message)  # type: ignore[no-untyped-call]
        self._waker.wake(self.queue_name)

    def requeue(self, messages: Iterable[MessageProxy]) -> None:
        """Give back what was taken and not begun."""
        taken = list(messages)
        if taken:  # else Redis is not asked, and nothing is known of it
            with self._outage.watch(self.queue_name):
                super().requeue(taken)  # type: ignore[no-untyped-call]


def consume_wakefully(broker: RedisBroker, waker: Waker) -> None:
    """Let the broker's consumers wait for `waker`, and say together when Redis goes and comes back."""
    outage = Outage()

    def consume(queue_name: str, prefetch: int = 1, timeout: int = 5000) -> WakefulConsumer:
        return WakefulConsumer(broker, queue_name, prefetch, timeout, waker=waker, outage=outage)

    broker.consume = consume  # type: ignore[method-assign]
