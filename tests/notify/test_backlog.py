"""What is open, counted; one delivery cancelled; the dead of one moment started anew."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import update

from tests.notify.conftest import Desk
from tests.support.sink import Answer, Sink
from vabhub.clock import parse_iso, utcnow
from vabhub.db import reading, transaction
from vabhub.errors import Conflict, NotFound
from vabhub.models import Channel
from vabhub.notify import history
from vabhub.notify.backlog import count_open
from vabhub.notify.deliveries import cancel_delivery, retry_delivery, retry_many
from vabhub.notify.lists import DeliveryQuery, list_deliveries
from vabhub.notify.send import deliver
from vabhub.notify.states import DeliveryState


def _counted(channel: str | None = None) -> dict[str, int]:
    with reading() as session:
        states: dict[str, int] = count_open(session, channel)["states"]
        return states


def _end(desk: Desk, hook: Sink, status: int, channel: str = "hook") -> int:
    """Attempt a new delivery that the sink answers with `status`; return its id."""
    hook.script.append(Answer(status, "no"))
    delivery_id = desk.delivery_id(desk.accept(channel))
    deliver(delivery_id)
    return delivery_id


def test_open_deliveries_are_counted_by_state_and_channel(desk: Desk, hook: Sink, sink: Sink) -> None:
    desk.channel("other", sink.url)
    for status in (422, 422, 500, 200):
        _end(desk, hook, status)
    desk.accept("other")
    assert _counted() == {"pending": 1, "sending": 0, "retrying": 1, "dead": 2}
    assert _counted("other") == {"pending": 1, "sending": 0, "retrying": 0, "dead": 0}
    assert _counted("nobody") == {"pending": 0, "sending": 0, "retrying": 0, "dead": 0}
    with reading() as session:
        channels = {row["channel"]: row for row in count_open(session)["channels"]}
    assert set(channels) == {"hook", "other", "system"}
    assert (channels["hook"]["dead"], channels["hook"]["hold"]) == (2, None)


def test_what_was_deleted_is_neither_counted_nor_started_anew(desk: Desk, hook: Sink) -> None:
    dead = _end(desk, hook, 422)
    with transaction() as session:
        history.delete(session, desk.delivery(dead).notification_id)
    assert _counted()["dead"] == 0
    with transaction() as session:
        assert retry_many(session) == 0
    for change in (retry_delivery, cancel_delivery):
        with transaction() as session, pytest.raises(NotFound):
            change(session, dead)


def test_a_channel_says_why_it_holds_back(desk: Desk, hook: Sink) -> None:
    dead = _end(desk, hook, 410)
    with reading() as session:
        (row,) = (row for row in count_open(session)["channels"] if row["channel"] == "hook")
    assert row["hold"]["kind"] == "off"
    assert row["hold"]["reason"]
    with transaction() as session:
        session.execute(
            update(Channel).values(disabled_reason=None, blocked_until=utcnow() + timedelta(hours=1))
        )
        (row,) = (row for row in count_open(session)["channels"] if row["channel"] == "hook")
        assert row["hold"]["kind"] == "asked_to_wait"
        assert parse_iso(row["hold"]["until"]) > utcnow()
        session.delete(session.query(Channel).filter_by(name="hook").one())
        session.flush()
        (row,) = (row for row in count_open(session)["channels"] if row["channel"] == "hook")
    assert (row["dead"], row["hold"]["kind"]) == (1, "deleted")
    assert desk.delivery(dead).state == "dead"


def test_the_open_list_leaves_out_what_is_settled(desk: Desk, hook: Sink) -> None:
    dead, waits = _end(desk, hook, 422), _end(desk, hook, 500)
    _end(desk, hook, 200)
    with reading() as session:
        rows = list_deliveries(session, DeliveryQuery(open_only=True)).items
        assert [row["id"] for row in rows] == [waits, dead]
        only = DeliveryQuery(open_only=True, channel="hook", status=DeliveryState.DEAD)
        assert [row["id"] for row in list_deliveries(session, only).items] == [dead]
        assert list_deliveries(session, DeliveryQuery(open_only=True, channel="system")).total == 0


def test_one_delivery_is_cancelled_and_the_others_go_on(desk: Desk, hook: Sink) -> None:
    accepted = desk.accept("hook", "system")
    first, second = (row["id"] for row in accepted.deliveries)
    with transaction() as session:
        shown = cancel_delivery(session, first)
    assert [row["status"] for row in shown["deliveries"]] == ["cancelled", "pending"]
    assert deliver(second) is DeliveryState.DELIVERED
    for settled in (first, second):
        with transaction() as session, pytest.raises(Conflict) as caught:
            cancel_delivery(session, settled)
        assert caught.value.details == {"status": desk.delivery(settled).state}


def test_what_died_after_the_count_is_not_started_anew(desk: Desk, hook: Sink) -> None:
    counted = [_end(desk, hook, 422) for _ in range(2)]
    with reading() as session:
        as_of = parse_iso(count_open(session)["as_of"])
    later = _end(desk, hook, 422)
    with transaction() as session:
        assert retry_many(session, channel="hook", died_by=as_of) == 2
    states = [desk.delivery(number).state for number in (*counted, later)]
    assert states == ["pending", "pending", "dead"]
