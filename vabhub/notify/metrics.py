"""Numbers about delivery for Prometheus, the same from every process.

Queue depth, oldest age and dead deliveries are read from the database. What only counts upwards is kept in
one Redis hash: it starts at 0 again when Redis is wiped, as a counter may.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress

import redis
from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy import and_, func, select

from vabhub.db import db_now, reading
from vabhub.errors import Unavailable
from vabhub.models import Delivery
from vabhub.notify.announce import COUNTS_KEY, PRIORITIES
from vabhub.notify.backlog import in_states
from vabhub.notify.prepared import in_words
from vabhub.notify.record import BUCKETS_S
from vabhub.notify.states import WAITING, DeliveryState
from vabhub.redis_client import get_redis


class DeliveryMetrics(Collector):
    """Reads at the time of asking; what cannot be read is left out, never 0."""

    def collect(self) -> Iterator[Metric]:
        """Return what is known now."""
        with suppress(Unavailable):
            yield from _of_rows()
        with suppress(redis.RedisError):
            yield from _of_counts()

    def describe(self) -> list[Metric]:
        """Name nothing in advance: otherwise registering would ask the database at once."""
        return []


def _of_rows() -> Iterator[Metric]:
    labels = ["channel", "priority"]
    depth = GaugeMetricFamily("vabhub_queue_depth", "Deliveries that wait", labels=labels)
    age = GaugeMetricFamily("vabhub_queue_oldest_seconds", "Age of the oldest that is due", labels=labels)
    dead = GaugeMetricFamily("vabhub_deliveries_dead", "Deliveries given up", labels=["channel"])
    group = Delivery.channel, Delivery.priority
    # In the words of ix_delivery_due, and from its first column on: else SQLite walks another in their order.
    waiting = and_(Delivery.priority >= 0, Delivery.state.in_(in_words(*sorted(WAITING))))
    with reading() as session:
        now = db_now(session)
        for channel, priority, count in session.execute(
            select(*group, func.count()).where(waiting).group_by(*group)
        ):
            depth.add_metric([channel, PRIORITIES[priority]], count)
        due = select(*group, func.min(Delivery.next_attempt_at)).where(
            waiting, Delivery.next_attempt_at <= now
        )
        for channel, priority, oldest in session.execute(due.group_by(*group)):
            age.add_metric([channel, PRIORITIES[priority]], (now - oldest).total_seconds())
        gone = select(Delivery.channel, func.count()).where(*in_states(DeliveryState.DEAD))
        for channel, count in session.execute(gone.group_by(Delivery.channel)):
            dead.add_metric([channel], count)
    yield from (depth, age, dead)


def _of_counts() -> Iterator[Metric]:
    found: Counter[str] = Counter()
    stored: dict[bytes, bytes] = get_redis().hgetall(COUNTS_KEY)  # type: ignore[assignment]
    found.update({name.decode(): float(value) for name, value in stored.items()})
    attempts = CounterMetricFamily("vabhub_attempts", "Attempts by outcome", labels=["outcome"])
    for name, value in sorted(found.items()):
        if name.startswith("attempt:"):
            attempts.add_metric([name.removeprefix("attempt:")], value)
    yield attempts
    for name, text in (("retries", "Attempts that were put off"), ("leases_expired", "Leases that ran out")):
        yield CounterMetricFamily(f"vabhub_{name}", text, value=found[name])
    yield _histogram(found)


def _histogram(found: Counter[str]) -> Metric:
    buckets, total = [], 0.0
    for bound in (*BUCKETS_S, float("inf")):
        total += found[f"le:{bound:g}"]
        buckets.append(("+Inf" if bound == float("inf") else f"{bound:g}", total))
    metric = HistogramMetricFamily("vabhub_delivery_seconds", "Time from accept to delivered")
    metric.add_metric([], buckets, found["seconds"])
    return metric
