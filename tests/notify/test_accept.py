"""What is taken in, what is refused, and that a repeated request is harmless."""

from __future__ import annotations

import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import func, select

from tests.notify.conftest import Desk
from tests.support.redis import RedisServer
from vabhub.clock import utcnow
from vabhub.db import reading, transaction
from vabhub.errors import Conflict, ValidationFailed
from vabhub.events.bus import last
from vabhub.events.topics import Topic
from vabhub.models import Delivery, Notification
from vabhub.notify import history
from vabhub.notify.accept import NewNotification, accept


def _rows() -> int:
    with reading() as session:
        return session.scalar(select(func.count()).select_from(Notification)) or 0


def test_without_channels_it_goes_to_the_inbox(desk: Desk) -> None:
    accepted = desk.accept()
    assert [row["channel"] for row in accepted.deliveries] == ["system"]
    assert accepted.status == "pending"


def test_a_channel_named_twice_gets_it_once(desk: Desk) -> None:
    assert len(desk.accept("system", "system").deliveries) == 1


def test_an_unknown_channel_is_named_and_nothing_is_stored(desk: Desk) -> None:
    with pytest.raises(ValidationFailed) as caught:
        desk.accept("system", "nowhere")
    assert [(found.field, found.code) for found in caught.value.errors] == [("channels", "unknown_channel")]
    assert _rows() == 0


def test_a_template_that_does_not_exist_is_refused(desk: Desk) -> None:
    with pytest.raises(ValidationFailed) as caught:
        desk.accept(template="nope")
    assert caught.value.errors[0].field == "template"


@pytest.mark.parametrize(
    "wrong",
    [
        {"title": ""},
        {"title": " \t "},
        {"title": "x" * 256},
        {"title": "a\x00b"},
        {"title": "\ud800"},
        {"message": "界" * 21846},
        {"type": "fatal"},
        {"priority": "asap"},
        {"channels": "system"},
        {"channels": ["system"] * 33},
        {"link": "javascript:alert(1)"},
        {"image_url": "not an address"},
        {"send_at": "2027-01-01T00:00:00"},
        {"data": {"n": float("nan")}},
        {"extra_metadata": {"x": "y" * 65536}},
        {"surprise": 1},
    ],
)
def test_a_wrong_field_is_refused_by_name(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as caught:
        NewNotification.model_validate({"title": "t", "message": "m", **wrong})
    assert caught.value.errors()[0]["loc"][0] == next(iter(wrong))


def test_64_kb_of_text_is_taken(desk: Desk) -> None:
    accepted = desk.accept(message="界" * 21845)
    assert len(desk.notification(accepted.id).message) == 21845


def test_send_at_in_the_past_means_now_and_beyond_a_year_is_refused(desk: Desk) -> None:
    past = desk.accept(send_at="0001-01-01T00:00:00+14:00")
    assert desk.delivery(desk.delivery_id(past)).next_attempt_at <= utcnow() + timedelta(seconds=1)
    with pytest.raises(ValidationFailed) as caught:
        desk.accept(send_at=(utcnow() + timedelta(days=367)).isoformat())
    assert caught.value.errors[0].field == "send_at"


def test_the_same_key_and_body_get_the_stored_answer(desk: Desk) -> None:
    first = desk.accept("system", key="k1", data={"a": 1, "b": 2})
    again = desk.accept("system", key="k1", data={"b": 2, "a": 1})
    assert (again.id, again.status, again.deliveries) == (first.id, first.status, first.deliveries)
    assert (first.replayed, again.replayed) == (False, True)
    assert _rows() == 1


def test_the_same_key_with_another_body_is_a_conflict(desk: Desk) -> None:
    desk.accept(key="k1")
    with pytest.raises(Conflict):
        desk.accept(key="k1", title="Another")
    assert _rows() == 1


def test_a_key_is_known_only_to_its_source(desk: Desk) -> None:
    assert desk.accept(key="k1").id != desk.accept(key="k1", source="other").id


def test_a_deleted_notification_still_answers_its_key(desk: Desk) -> None:
    first = desk.accept(key="k1")
    with transaction() as session:
        history.delete(session, first.id)
    assert desk.accept(key="k1").id == first.id


def test_fifty_requests_at_once_with_one_key_store_one_row(desk: Desk) -> None:
    gate = threading.Barrier(16)

    def ask() -> int:
        gate.wait(timeout=20)
        return desk.accept("system", key="same").id

    with ThreadPoolExecutor(16) as pool:
        ids = {done.result() for done in [pool.submit(ask) for _ in range(48)]}
    assert len(ids) == 1
    assert _rows() == 1
    with reading() as session:
        assert session.scalar(select(func.count()).select_from(Delivery)) == 1


def test_what_is_rolled_back_is_neither_stored_nor_told(desk: Desk) -> None:
    request = NewNotification(title="t", message="m")
    with pytest.raises(RuntimeError), transaction() as session:
        accept(session, request, source="test", idempotency_key=None)
        raise RuntimeError
    assert _rows() == 0
    assert last(Topic.NOTIFICATIONS) is None


def test_a_stored_notification_is_told_to_the_page(desk: Desk) -> None:
    accepted = desk.accept(title="新通知")
    told = last(Topic.NOTIFICATIONS)
    assert told is not None
    assert told["data"]["event"] == "created"
    assert told["data"]["notification"]["id"] == accepted.id
    assert told["data"]["notification"]["title"] == "新通知"
    assert told["data"]["unread"] is None, "it is not in the inbox yet, so that number has not changed"


def test_it_is_accepted_while_redis_is_away(desk: Desk, redis_server: RedisServer) -> None:
    redis_server.signal(signal.SIGSTOP)
    try:
        accepted = desk.accept("system")
    finally:
        redis_server.signal(signal.SIGCONT)
    assert desk.notification(accepted.id).status == "pending"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("http://nas.local/影片/第 1 集", "http://nas.local/%E5%BD%B1%E7%89%87/%E7%AC%AC%201%20%E9%9B%86"),
        ('https://nas/a?q="x y"', "https://nas/a?q=%22x%20y%22"),
        ("https://nas/#!/item?id=1", "https://nas/#!/item?id=1"),
    ],
)
def test_a_link_is_encoded_as_a_browser_would(given: str, kept: str) -> None:
    assert NewNotification(title="t", message="m", link=given).link == kept  # type: ignore[arg-type]


def test_a_title_that_is_too_short_or_long_says_so_in_characters() -> None:
    for title in ("  ", "x" * 256):
        with pytest.raises(ValidationError, match="character"):
            NewNotification(title=title, message="m")
