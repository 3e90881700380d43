"""From accept to recorded, over a real HTTP receiver."""

from __future__ import annotations

from datetime import timedelta

from standardwebhooks import Webhook

from tests.notify.conftest import SECRET, Desk
from tests.support.sink import Answer, Sink
from vabhub.db import reading
from vabhub.notify.announce import unread_count
from vabhub.notify.history import get_notification
from vabhub.notify.send import deliver
from vabhub.notify.states import DeliveryState


def test_a_notification_reaches_its_webhook_and_its_attempt_is_on_record(desk: Desk, hook: Sink) -> None:
    accepted = desk.accept("hook", title="下载完成", message="Dune 2021 <4K> & more")
    assert deliver(desk.delivery_id(accepted)) is DeliveryState.DELIVERED

    (request,) = hook.requests
    body = Webhook(SECRET).verify(request.body, dict(request.headers))
    assert body["data"]["title"] == "下载完成"
    assert desk.notification(accepted.id).status == "sent"
    (attempt,) = desk.attempts(desk.delivery_id(accepted))
    assert (attempt.outcome, attempt.provider_status, attempt.next_state) == ("ok", 200, "delivered")


def test_a_delivery_over_system_is_what_puts_it_into_the_inbox(desk: Desk) -> None:
    accepted = desk.accept()
    assert desk.notification(accepted.id).inbox_at is None
    assert deliver(desk.delivery_id(accepted)) is DeliveryState.DELIVERED
    assert desk.notification(accepted.id).inbox_at is not None
    with reading() as session:
        assert unread_count(session) == 1


def test_a_failed_attempt_waits_in_the_database_and_keeps_its_webhook_id(desk: Desk, hook: Sink) -> None:
    hook.script.extend([Answer(500, "boom"), Answer(200)])
    delivery_id = desk.delivery_id(desk.accept("hook"))
    assert deliver(delivery_id) is DeliveryState.RETRYING
    waiting = desk.delivery(delivery_id)
    assert waiting.last_error == "boom"
    assert timedelta(seconds=3) < waiting.next_attempt_at - waiting.created_at < timedelta(seconds=20)

    assert deliver(delivery_id) is None, "a retry that is not due is not made"
    desk.age(delivery_id, next_attempt_at=timedelta(minutes=1))
    assert deliver(delivery_id) is DeliveryState.DELIVERED
    first, second = hook.requests
    assert first.headers["webhook-id"] == second.headers["webhook-id"]


def test_a_repeated_hint_sends_nothing_twice(desk: Desk, hook: Sink) -> None:
    delivery_id = desk.delivery_id(desk.accept("hook"))
    assert deliver(delivery_id) is DeliveryState.DELIVERED
    assert deliver(delivery_id) is None
    assert deliver(10_000_000) is None
    assert len(hook.requests) == 1


def test_a_status_is_partial_when_one_channel_has_it_and_another_never_will(desk: Desk, hook: Sink) -> None:
    hook.script.append(Answer(422, "not like this"))
    accepted = desk.accept("hook", "system")
    for row in accepted.deliveries:
        deliver(row["id"])
    assert desk.notification(accepted.id).status == "partial"
    with reading() as session:
        shown = get_notification(session, accepted.id)
    by_channel = {row["channel"]: row for row in shown["deliveries"]}
    assert by_channel["hook"]["status"] == "dead"
    assert by_channel["hook"]["attempts"][0]["text"] == "not like this"
    assert by_channel["system"]["status"] == "delivered"
