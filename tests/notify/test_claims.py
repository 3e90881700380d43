"""Claims: one winner, a fence for failures, none for successes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

from tests.notify.conftest import Desk
from tests.support.sink import Answer, Request, Sink
from vabhub.channels.base import Outcome, OutcomeKind
from vabhub.db import transaction
from vabhub.notify.claims import LEASE, Claim, claim
from vabhub.notify.deliveries import cancel
from vabhub.notify.record import finish
from vabhub.notify.send import deliver
from vabhub.notify.states import DeliveryState
from vabhub.notify.sweep import sweep_once

OK = Outcome(OutcomeKind.OK, "ok", 200)
LATER = Outcome(OutcomeKind.TRANSIENT, "later", 500)


def _at_once(count: int, work: Callable[[], Any]) -> list[Any]:
    gate = threading.Barrier(count)

    def run() -> Any:
        gate.wait(timeout=10)
        return work()

    with ThreadPoolExecutor(count) as pool:
        return [done.result() for done in [pool.submit(run) for _ in range(count)]]


def _claimed(delivery_id: int, owner: str = "me") -> Claim:
    found = claim(delivery_id, owner)
    assert found is not None
    return found


def _lose_lease(desk: Desk, delivery_id: int) -> None:
    desk.age(delivery_id, lease_until=LEASE + timedelta(seconds=1))
    assert sweep_once().expired == 1


def test_of_workers_that_claim_at_once_exactly_one_wins(desk: Desk, hook: Sink) -> None:
    for _ in range(10):
        delivery_id = desk.delivery_id(desk.accept("hook"))
        won = [found for found in _at_once(4, lambda number=delivery_id: claim(number, "w")) if found]
        assert len(won) == 1
        assert desk.delivery(delivery_id).epoch == 1
        assert len(desk.attempts(delivery_id)) == 1


def test_lost_claim_sends_nothing(desk: Desk, hook: Sink) -> None:
    delivery_id = desk.delivery_id(desk.accept("hook"))
    _claimed(delivery_id)
    assert deliver(delivery_id) is None
    assert hook.requests == []


def test_an_attempt_is_on_record_before_anything_is_sent(desk: Desk, hook: Sink) -> None:
    delivery_id = desk.delivery_id(desk.accept("hook"))
    seen: list[tuple[str, int]] = []

    def look(_request: Request) -> Answer:
        seen.append((desk.delivery(delivery_id).state, len(desk.attempts(delivery_id))))
        return Answer()

    hook.respond = look
    deliver(delivery_id)
    assert seen == [("sending", 1)]


def test_a_late_failure_does_not_undo_the_attempt_that_followed(desk: Desk, hook: Sink) -> None:
    delivery_id = desk.delivery_id(desk.accept("hook"))
    slow = _claimed(delivery_id)
    _lose_lease(desk, delivery_id)
    fast = _claimed(delivery_id)
    assert finish(slow, LATER) is None
    assert desk.delivery(delivery_id).state == "sending"
    assert finish(fast, OK) is DeliveryState.DELIVERED


def test_a_late_success_is_true_and_prevents_the_next_attempt(desk: Desk, hook: Sink) -> None:
    delivery_id = desk.delivery_id(desk.accept("hook"))
    slow = _claimed(delivery_id)
    _lose_lease(desk, delivery_id)
    assert desk.delivery(delivery_id).state == "retrying"
    assert finish(slow, OK) is DeliveryState.DELIVERED
    assert claim(delivery_id, "next") is None
    assert [row.outcome for row in desk.attempts(delivery_id)] == ["ok"]


def test_a_late_success_wins_over_a_running_attempt_that_then_fails(desk: Desk, hook: Sink) -> None:
    delivery_id = desk.delivery_id(desk.accept("hook"))
    slow = _claimed(delivery_id)
    _lose_lease(desk, delivery_id)
    second = _claimed(delivery_id)
    assert finish(slow, OK) is DeliveryState.DELIVERED
    assert finish(second, LATER) is None
    assert desk.delivery(delivery_id).state == "delivered"


def test_two_deliveries_that_finish_at_once_leave_the_right_status(desk: Desk, hook: Sink) -> None:
    for _ in range(10):
        accepted = desk.accept("hook", "system")
        claims = [_claimed(row["id"]) for row in accepted.deliveries]
        _at_once(2, lambda waiting=claims: finish(waiting.pop(), OK))
        assert desk.notification(accepted.id).status == "sent"


def test_cancel_while_sending_stops_the_retry_but_not_the_success(desk: Desk, hook: Sink) -> None:
    for outcome, reached in ((LATER, DeliveryState.CANCELLED), (OK, DeliveryState.DELIVERED)):
        accepted = desk.accept("hook")
        held = _claimed(desk.delivery_id(accepted))
        with transaction() as session:
            assert cancel(session, accepted.id)["deliveries"][0]["cancel_requested"] is True
        assert finish(held, outcome) is reached


def test_the_outcome_of_an_attempt_waits_for_a_locked_database(desk: Desk, hook: Sink) -> None:
    delivery_id = desk.delivery_id(desk.accept("hook"))
    locked, released = threading.Event(), threading.Event()

    def hold(_request: Request) -> Answer:
        def keep() -> None:
            with transaction() as session:
                session.get_one(_delivery_model(), delivery_id, with_for_update=True)
                locked.set()
                released.wait(timeout=20)

        threading.Thread(target=keep, daemon=True).start()
        locked.wait(timeout=10)
        threading.Timer(6, released.set).start()  # longer than one wait for the lock
        return Answer()

    hook.respond = hold
    assert deliver(delivery_id) is DeliveryState.DELIVERED
    assert len(hook.requests) == 1


def _delivery_model() -> Any:
    from vabhub.models import Delivery

    return Delivery
