"""Cancel, resend and retry by hand."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.notify.conftest import Desk
from tests.support.sink import Answer, Sink
from tests.support.times import IN_A_MONTH
from vabhub.db import transaction
from vabhub.errors import Conflict, NotFound
from vabhub.notify.deliveries import cancel, resend, retry_delivery, retry_many
from vabhub.notify.send import deliver
from vabhub.notify.states import DeliveryState


def _dead(desk: Desk, hook: Sink) -> int:
    hook.script.append(Answer(422, "no"))
    accepted = desk.accept("hook")
    assert deliver(desk.delivery_id(accepted)) is DeliveryState.DEAD
    return accepted.id


def test_cancel_while_waiting_sends_nothing(desk: Desk, hook: Sink) -> None:
    accepted = desk.accept("hook")
    with transaction() as session:
        assert cancel(session, accepted.id)["status"] == "cancelled"
    assert deliver(desk.delivery_id(accepted)) is None
    assert hook.requests == []


def test_what_is_final_cannot_be_cancelled(desk: Desk, hook: Sink) -> None:
    accepted = desk.accept("hook")
    deliver(desk.delivery_id(accepted))
    with transaction() as session, pytest.raises(Conflict) as caught:
        cancel(session, accepted.id)
    assert caught.value.details == {"status": "sent"}


def test_what_does_not_exist_is_not_found(desk: Desk) -> None:
    for change in (cancel, resend, retry_delivery):
        with transaction() as session, pytest.raises(NotFound):
            change(session, 4711)


def test_a_resend_goes_out_under_the_same_webhook_id(desk: Desk, hook: Sink) -> None:
    number = _dead(desk, hook)
    with transaction() as session:
        shown = resend(session, number)
    assert shown["status"] == "pending"
    assert shown["deliveries"][0]["attempt_count"] == 0
    assert deliver(shown["deliveries"][0]["id"]) is DeliveryState.DELIVERED
    first, second = hook.requests
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert [row.outcome for row in desk.attempts(shown["deliveries"][0]["id"])] == ["permanent_message", "ok"]


def test_a_resend_of_what_is_not_final_or_was_delivered_is_a_conflict(desk: Desk, hook: Sink) -> None:
    accepted = desk.accept("hook")
    for status in ("pending", "sent"):
        with transaction() as session, pytest.raises(Conflict) as caught:
            resend(session, accepted.id)
        assert caught.value.details == {"status": status}
        deliver(desk.delivery_id(accepted))


def test_a_resend_repeats_only_what_failed(desk: Desk, hook: Sink) -> None:
    hook.script.append(Answer(422))
    accepted = desk.accept("hook", "system")
    for row in accepted.deliveries:
        deliver(row["id"])
    with transaction() as session:
        shown = resend(session, accepted.id)
    assert [row["status"] for row in shown["deliveries"]] == ["pending", "delivered"]


def test_a_retry_by_hand_brings_a_waiting_delivery_forward(desk: Desk, hook: Sink) -> None:
    hook.script.append(Answer(500))
    delivery_id = desk.delivery_id(desk.accept("hook"))
    assert deliver(delivery_id) is DeliveryState.RETRYING
    with transaction() as session:
        retry_delivery(session, delivery_id)
    assert deliver(delivery_id) is DeliveryState.DELIVERED
    with transaction() as session, pytest.raises(Conflict):
        retry_delivery(session, delivery_id)


def test_dead_deliveries_are_retried_together_by_channel(desk: Desk, hook: Sink, sink: Sink) -> None:
    desk.channel("other", sink.url)
    numbers = [_dead(desk, hook) for _ in range(3)]
    with transaction() as session:
        assert retry_many(session, channel="other") == 0
        assert retry_many(session, channel="hook", limit=2) == 2
    assert [desk.notification(number).status for number in numbers] == ["pending", "pending", "failed"]


def test_a_planned_notification_can_be_cancelled(desk: Desk) -> None:
    accepted = desk.accept(send_at=IN_A_MONTH)
    with transaction() as session:
        assert cancel(session, accepted.id)["status"] == "cancelled"
    desk.age(desk.delivery_id(accepted), next_attempt_at=timedelta(days=400))
    assert deliver(desk.delivery_id(accepted)) is None
