"""The sweep: expired leases, due rows without a hint, no lock while idle."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from dramatiq import Message
from sqlalchemy import event

from tests.notify.conftest import Desk
from tests.support.sink import Sink
from tests.support.times import IN_A_MONTH
from vabhub import clock, redis_client
from vabhub.db import get_engine, transaction
from vabhub.models import Delivery
from vabhub.notify import history
from vabhub.notify.claims import LEASE, claim
from vabhub.notify.deliveries import cancel, resend
from vabhub.notify.metrics import DeliveryMetrics
from vabhub.notify.send import deliver
from vabhub.notify.states import DeliveryState
from vabhub.notify.sweep import (
    FEW,
    FRESH,
    FRESH_BEHIND_FEW,
    FRESH_WHEN_EMPTY,
    SPREAD_S,
    Swept,
    sweep_once,
)
from vabhub.queues import Task, enqueue
from vabhub.settings import Settings

EXPIRED = LEASE + timedelta(seconds=1)


def _hints(queue: str = "normal") -> list[int]:
    """Return the delivery ids that wait in Redis, in the order in which they were put there."""
    queued = redis_client.get_queue_redis(answer_timeout_s=1)
    bodies: dict[bytes, bytes] = queued.hgetall(f"dramatiq:{queue}.msgs")  # type: ignore[assignment]
    order: list[bytes] = queued.lrange(f"dramatiq:{queue}", 0, -1)  # type: ignore[assignment]
    return [Message.decode(bodies[number]).args[0] for number in order]


def test_accept_hints_the_worker_of_its_priority(desk: Desk) -> None:
    for priority, queue in (("urgent", "urgent"), ("high", "high"), ("normal", "normal"), ("low", "low")):
        accepted = desk.accept(priority=priority)
        assert _hints(queue) == [desk.delivery_id(accepted)]


def test_a_lost_hint_is_given_again_once_it_is_stale(desk: Desk) -> None:
    delivery_id = desk.delivery_id(desk.accept())
    redis_client.get_redis().flushall()
    assert sweep_once() == Swept(), "a fresh hint may still be on its way"
    desk.age(delivery_id, hint_at=FRESH + timedelta(seconds=1))
    assert sweep_once() == Swept(hinted=1)
    assert _hints() == [delivery_id]
    assert sweep_once() == Swept()


def test_with_empty_queues_a_hint_is_lost_much_sooner(desk: Desk) -> None:
    delivery_id = desk.delivery_id(desk.accept())
    desk.age(delivery_id, hint_at=FRESH_WHEN_EMPTY + timedelta(seconds=1))
    assert sweep_once() == Swept(), "the hint is still in its queue"
    redis_client.get_redis().flushall()
    assert sweep_once() == Swept(hinted=1)
    assert _hints() == [delivery_id]


def test_behind_few_others_a_hint_is_lost_sooner_than_behind_many(desk: Desk) -> None:
    delivery_id = desk.delivery_id(desk.accept())
    desk.age(delivery_id, hint_at=FRESH_BEHIND_FEW + timedelta(seconds=1))
    for _ in range(FEW):
        enqueue(Task.DELIVER, 0)
    assert sweep_once() == Swept()
    redis_client.get_redis().flushall()
    enqueue(Task.DELIVER, 0)
    assert sweep_once() == Swept(hinted=1)


def test_what_is_planned_for_later_is_hinted_when_it_is_due(desk: Desk) -> None:
    delivery_id = desk.delivery_id(desk.accept(send_at=IN_A_MONTH))
    assert _hints() == []
    assert sweep_once() == Swept()
    assert deliver(delivery_id) is None
    desk.age(delivery_id, next_attempt_at=timedelta(days=365))
    assert sweep_once() == Swept(hinted=1)
    assert deliver(delivery_id) is DeliveryState.DELIVERED


def test_an_expired_lease_goes_back_and_its_attempt_is_unknown(desk: Desk, hook: Sink) -> None:
    delivery_id = desk.delivery_id(desk.accept("hook"))
    assert claim(delivery_id, "killed") is not None
    assert sweep_once().expired == 0
    desk.age(delivery_id, lease_until=EXPIRED)
    assert sweep_once() == Swept(expired=1, hinted=1)
    assert desk.delivery(delivery_id).crashes == 1
    assert [(row.outcome, row.next_state) for row in desk.attempts(delivery_id)] == [("unknown", "retrying")]
    assert deliver(delivery_id) is DeliveryState.DELIVERED


def test_deliveries_that_fell_together_do_not_rise_together(desk: Desk, hook: Sink) -> None:
    fallen = [desk.delivery_id(desk.accept("hook")) for _ in range(8)]
    for delivery_id in fallen:
        assert claim(delivery_id, "killed") is not None
        desk.age(delivery_id, lease_until=EXPIRED)
    before = clock.utcnow()
    assert sweep_once().expired == len(fallen)
    waits = [(desk.delivery(one).next_attempt_at - before).total_seconds() for one in fallen]
    assert len(set(waits)) == len(fallen)
    assert max(waits) < SPREAD_S + 5


def test_a_message_that_kills_its_worker_is_dead_after_exactly_three_times(desk: Desk, hook: Sink) -> None:
    accepted = desk.accept("hook")
    delivery_id = desk.delivery_id(accepted)
    for crash in (1, 2, 3):
        assert claim(delivery_id, f"killed {crash}") is not None
        desk.age(delivery_id, lease_until=EXPIRED)
        sweep_once()
    assert desk.delivery(delivery_id).state == "dead"
    assert desk.notification(accepted.id).status == "failed"
    assert claim(delivery_id, "again") is None
    with transaction() as session:
        resend(session, accepted.id)
    assert deliver(delivery_id) is DeliveryState.DELIVERED


def test_a_cancelled_delivery_whose_worker_died_stays_cancelled(desk: Desk, hook: Sink) -> None:
    accepted = desk.accept("hook")
    delivery_id = desk.delivery_id(accepted)
    assert claim(delivery_id, "killed") is not None
    with transaction() as session:
        cancel(session, accepted.id)
    desk.age(delivery_id, lease_until=EXPIRED)
    assert sweep_once() == Swept(expired=1)
    assert desk.delivery(delivery_id).state == "cancelled"


def test_the_most_urgent_are_hinted_first_and_500_at_a_time(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    low = [desk.accept(priority="low") for _ in range(3)]
    urgent = desk.accept(priority="urgent")
    redis_client.get_redis().flushall()
    for accepted in (*low, urgent):
        desk.age(desk.delivery_id(accepted), hint_at=timedelta(minutes=1))
    monkeypatch.setattr("vabhub.notify.sweep.BATCH", 2)
    assert sweep_once() == Swept(hinted=2)
    assert (len(_hints("urgent")), len(_hints("low"))) == (1, 1)
    assert sweep_once() == Swept(hinted=2)


def test_two_sweeps_at_once_hint_each_delivery_once(desk: Desk) -> None:
    ids = [desk.delivery_id(desk.accept()) for _ in range(40)]
    redis_client.get_redis().flushall()
    with transaction() as session:
        for number in ids:
            session.get_one(Delivery, number).hint_at = None
    found: list[Swept] = []
    threads = [threading.Thread(target=lambda: found.append(sweep_once())) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(swept.hinted for swept in found) == len(ids)
    assert sorted(_hints()) == ids


def test_an_idle_sweep_waits_for_no_writer(desk: Desk) -> None:
    held, over = threading.Event(), threading.Event()

    def write() -> None:
        with transaction():
            held.set()
            over.wait(timeout=20)

    writer = threading.Thread(target=write)
    writer.start()
    held.wait(timeout=10)
    try:
        assert sweep_once() == Swept()
    finally:
        over.set()
        writer.join()


def _sweep() -> None:
    assert sweep_once() == Swept(hinted=1)


def _read_metrics() -> None:
    assert len(list(DeliveryMetrics().collect())) == 7


def _purge() -> None:
    assert history.purge_deleted() == 0


@pytest.mark.parametrize("ask", [_sweep, _read_metrics, _purge])
def test_what_is_asked_all_the_time_never_reads_the_whole_table(
    sqlite: Settings, redis: None, ask: Callable[[], None]
) -> None:
    asked: list[tuple[str, tuple[object, ...]]] = []
    engine = get_engine()
    event.listen(engine, "before_cursor_execute", lambda *given: asked.append((given[2], given[3])))
    desk = Desk()
    delivery_id = desk.delivery_id(desk.accept())
    desk.age(delivery_id, hint_at=FRESH * 2)
    asked.clear()
    ask()
    tables = ("FROM delivery", "FROM notification")
    questions = [(text, values) for text, values in asked if any(table in text for table in tables)]
    assert questions
    with engine.connect() as connection:
        for text, values in questions:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", values).all()
            whole = [step for *_, step in plan if step.startswith(("SCAN delivery", "SCAN notification"))]
            # The due ones have an index of their own, which holds nothing else.
            assert all("ix_delivery_due" in step for step in whole), text
