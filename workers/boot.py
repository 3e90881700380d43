"""Builds the worker: loads the actors, then consumes every queue, the urgent one by threads of its own."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Iterable

from dramatiq import Broker, Worker
from dramatiq.brokers.redis import RedisBroker

from vabhub.broker import get_broker
from vabhub.queues import Queue
from vabhub.settings import Settings

ACTOR_MODULES = ("workers.deliver", "workers.library", "workers.maintain")
URGENT_THREADS = 2
# How long an idle thread sleeps at most: also the longest an idle worker takes to notice that it must stop.
IDLE_MS = 1000


def load_actors() -> RedisBroker:
    """Import the actors, which declares them on the broker, and declare every queue; return the broker."""
    broker = get_broker()
    for module in ACTOR_MODULES:
        importlib.import_module(module)
    for queue in Queue:
        broker.declare_queue(queue.value)
    return broker


def make_workers(broker: Broker, settings: Settings) -> list[Worker]:
    """Return a worker reserved for urgent tasks and one for all the others, not yet started."""
    others = {queue.value for queue in Queue if queue is not Queue.URGENT}
    return [
        ReadyWorker(broker, {Queue.URGENT.value}, threads=URGENT_THREADS),
        ReadyWorker(broker, others, threads=settings.worker_threads),
    ]


class ReadyWorker(Worker):
    """A worker that takes from a queue no more than it has threads, and never looks for delayed messages.

    Nothing is enqueued with a delay (a retry's time is in the database), and Dramatiq would ask Redis for
    delayed messages of each queue once a second for ever. The small prefetch keeps one process from
    hoarding what another could do.
    """

    def __init__(self, broker: Broker, queues: set[str], *, threads: int) -> None:
        super().__init__(broker, queues=queues, worker_threads=threads, worker_timeout=IDLE_MS)
        self.queue_prefetch = threads

    def start(self) -> None:
        """Start the consumers and threads.

        Dramatiq's own start leaves it to a middleware to add consumers, for delayed messages too, and warns
        when there are two workers in a process.
        """
        self.broker.emit_before("worker_boot", self)
        for queue in sorted(self.consumer_whitelist or ()):
            self._add_consumer(queue)
        for _ in range(self.worker_threads):
            self._add_worker()
        self.broker.emit_after("worker_boot", self)


def stop(workers: Iterable[Worker], timeout_s: float) -> None:
    """Let every worker finish what it has begun, all at the same time, and give the rest back."""
    threads = [
        threading.Thread(target=worker.stop, kwargs={"timeout": int(timeout_s * 1000)}, daemon=True)
        for worker in workers
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
