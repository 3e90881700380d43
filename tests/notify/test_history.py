"""Lists, read marks and deletion."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.exc import NoResultFound

from tests.notify.conftest import Desk
from tests.support.sink import Sink
from vabhub.clock import utcnow
from vabhub.db import reading, transaction
from vabhub.errors import NotFound
from vabhub.events.bus import last
from vabhub.events.topics import Topic
from vabhub.models import Attempt, Delivery, Notification
from vabhub.notify import history
from vabhub.notify.announce import unread_count
from vabhub.notify.lists import DeliveryQuery, HistoryQuery, list_deliveries, list_notifications
from vabhub.notify.send import deliver
from vabhub.settings import Settings


def _list(**query: Any) -> list[int]:
    with reading() as session:
        return [row["id"] for row in list_notifications(session, HistoryQuery(**query)).items]


def _inbox(desk: Desk, **fields: Any) -> int:
    accepted = desk.accept("system", **fields)
    deliver(desk.delivery_id(accepted))
    return accepted.id


def test_pages_are_newest_first_and_totals_count_what_the_filter_leaves(desk: Desk) -> None:
    numbers = [desk.accept(type="error" if count % 2 else "info").id for count in range(7)]
    with reading() as session:
        page = list_notifications(session, HistoryQuery(page=2, page_size=2, type="info"))
    assert page.to_json() | {"items": [row["id"] for row in page.items]} == {
        "items": [numbers[2], numbers[0]],
        "total": 4,
        "total_is_exact": True,
        "page": 2,
        "page_size": 2,
        "total_pages": 2,
    }


def test_filters_narrow_the_list(desk: Desk, hook: Sink) -> None:
    plain = desk.accept(title="100% done_now").id
    other = desk.accept("hook", title="x", message="Ärger mit 下载", priority="high").id
    read = _inbox(desk)
    with transaction() as session:
        history.mark_read(session, read)
    unread = _inbox(desk)
    assert _list(q="100% d") == [plain]
    assert _list(q="0%_d") == []
    assert _list(q="下载") == [other]
    assert _list(channel="hook") == [other]
    assert _list(priority="high") == [other]
    assert _list(unread_only=True) == [unread]
    assert _list(status="sent") == [unread, read]
    assert _list(since=utcnow() + timedelta(minutes=1)) == []
    assert len(_list(until=utcnow() + timedelta(minutes=1))) == 4


def test_after_a_cursor_the_list_goes_upwards(desk: Desk) -> None:
    numbers = [desk.accept().id for _ in range(5)]
    assert _list(after=numbers[1], page_size=2) == numbers[2:4]


def test_unread_is_what_reached_the_inbox_and_was_not_read(desk: Desk, hook: Sink) -> None:
    desk.accept("hook")
    first, second = _inbox(desk), _inbox(desk)
    with transaction() as session:
        assert unread_count(session) == 2
        assert history.mark_read(session, first)["unread"] is False
        assert unread_count(session) == 1
        assert history.mark_all_read(session) == 1
        assert history.mark_all_read(session) == 0
    told = last(Topic.NOTIFICATIONS)
    assert told is not None
    assert (told["data"]["event"], told["data"]["unread"]) == ("read", 0)
    assert desk.notification(second).read_at is not None


def test_reading_one_tells_every_device_the_new_number(desk: Desk) -> None:
    first, _second = _inbox(desk), _inbox(desk)
    with transaction() as session:
        history.mark_read(session, first)
    told = last(Topic.NOTIFICATIONS)
    assert told is not None
    assert (told["data"]["event"], told["data"]["unread"]) == ("read", 1)


def test_a_deleted_notification_is_gone_and_what_waited_is_not_sent(desk: Desk, hook: Sink) -> None:
    accepted = desk.accept("hook")
    with transaction() as session:
        history.delete(session, accepted.id)
    assert deliver(desk.delivery_id(accepted)) is None
    assert hook.requests == []
    assert _list() == []
    for gone in (history.get_notification, history.mark_read, history.delete):
        with transaction() as session, pytest.raises(NotFound):
            gone(session, accepted.id)
    told = last(Topic.NOTIFICATIONS)
    assert told is not None
    assert told["data"]["event"] == "deleted"
    assert told["data"]["notification"] == {"id": accepted.id}


def test_delete_all_empties_history_and_bell(desk: Desk) -> None:
    for _ in range(3):
        _inbox(desk)
    assert history.delete_all() == 3
    with reading() as session:
        assert unread_count(session) == 0
    assert _list() == []


def test_delete_all_goes_slice_by_slice_and_cancels_what_waits(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "SLICE", 2)
    done = _inbox(desk)
    for _ in range(4):
        desk.accept()
    assert history.delete_all() == 5
    assert history.delete_all() == 0
    assert _list() == []
    with reading() as session:
        found = session.execute(select(Delivery.notification_id == done, Delivery.state))
        states = {(bool(row[0]), row[1]) for row in found}
    assert states == {(True, "delivered"), (False, "cancelled")}


def test_what_was_deleted_a_day_ago_is_removed_with_all_its_rows(desk: Desk) -> None:
    old, fresh = _inbox(desk), _inbox(desk)
    history.delete_all()
    with transaction() as session:
        session.get_one(Notification, old).deleted_at = utcnow() - timedelta(hours=25)
    assert history.purge_deleted() == 1
    assert history.purge_deleted() == 0
    with reading() as session:
        assert list(session.scalars(select(Notification.id))) == [fresh]
        assert session.scalar(select(func.count()).select_from(Delivery)) == 1
        assert session.scalar(select(func.count()).select_from(Attempt)) == 1


def test_deliveries_are_listed_with_what_they_carry(desk: Desk, hook: Sink) -> None:
    desk.accept("hook", title="carried", priority="urgent")
    _inbox(desk)
    with reading() as session:
        page = list_deliveries(session, DeliveryQuery(channel="hook"))
        assert list_deliveries(session, DeliveryQuery(status="delivered")).total == 1  # type: ignore[arg-type]
    (row,) = page.items
    assert (row["title"], row["status"], row["priority"]) == ("carried", "pending", "urgent")


def test_what_is_older_than_the_retention_goes_unless_it_is_not_final(desk: Desk, settings: Settings) -> None:
    done, waiting = desk.accept(), desk.accept()
    deliver(desk.delivery_id(done))
    long_ago = utcnow() - timedelta(days=settings.retention_days + 1)
    with transaction() as session:
        session.execute(update(Notification).values(created_at=long_ago))
    assert history.purge_deleted() == 1
    assert history.purge_deleted() == 0
    assert desk.notification(waiting.id).status == "pending"
    with pytest.raises(NoResultFound):
        desk.notification(done.id)
