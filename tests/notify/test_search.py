"""Full-text search on both databases, and the index in step with its rows."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, text, update

from tests.notify.conftest import Desk
from vabhub import db, migrate
from vabhub.clock import utcnow
from vabhub.db import reading, transaction
from vabhub.models import Notification
from vabhub.notify import history, lists, search
from vabhub.notify.lists import HistoryQuery, list_notifications
from vabhub.notify.search_index import INDEX, PREFIXES
from vabhub.notify.send import deliver
from vabhub.settings import Settings


def _found(q: str, **query: Any) -> list[int]:
    with reading() as session:
        return [row["id"] for row in list_notifications(session, HistoryQuery(q=q, **query)).items]


def _indexed() -> list[int]:
    with reading() as session:
        return sorted(session.scalars(select(INDEX.c.rowid)))


def test_words_are_found_in_title_and_message_newest_first(desk: Desk) -> None:
    first = desk.accept(title="Download finished", message="season 4").id
    second = desk.accept(title="Backup", message="the download failed").id
    desk.accept(title="Something else")
    assert _found("download") == [second, first]
    assert _found("downl") == [second, first]
    assert _found("d") == [second, first]
    assert _found("season download") == [first]
    assert _found("nowhere") == []


def test_chinese_is_found_from_one_character_on(desk: Desk) -> None:
    film = desk.accept(title="《流浪地球2》下载完成").id
    disk = desk.accept(title="磁盘空间不足", message="无法下载").id
    assert _found("下载") == [disk, film]
    assert _found("载") == [disk, film]
    assert _found("成") == [film]
    assert _found("流浪地球") == [film]
    assert _found("空间不足 下载") == [disk]
    assert _found("球地") == []


def test_a_question_of_spaces_only_is_none_and_one_of_signs_finds_nothing(desk: Desk) -> None:
    only = desk.accept(title="100% done").id
    assert _found("   ") == [only]
    assert _found("%") == []


@pytest.mark.parametrize(
    "q", ['"', "'", "a OR b", "NEAR(a b)", "col:a", "a*", "-a", "\\", "(", "a & b:*", "!"]
)
def test_no_question_is_read_as_a_query_language(desk: Desk, q: str) -> None:
    desk.accept(title="nothing like it")
    assert _found(q) == []


def test_search_and_filters_go_together(desk: Desk) -> None:
    error = desk.accept(title="backup", type="error").id
    info = desk.accept(title="backup", priority="high").id
    assert _found("backup", type="error") == [error]
    assert _found("backup", priority="high") == [info]
    assert _found("backup", channel="system") == [info, error]
    assert _found("backup", channel="nowhere") == []
    assert _found("backup", until=utcnow() - timedelta(days=1)) == []
    assert _found("backup", after=error) == [info]
    assert _found("backup", after=0) == [error, info]


def test_pages_of_a_search_count_what_was_found(desk: Desk) -> None:
    numbers = [desk.accept(title=f"backup {number}").id for number in range(5)]
    desk.accept(title="other")
    with reading() as session:
        page = list_notifications(session, HistoryQuery(q="backup", page=2, page_size=2))
    assert ([row["id"] for row in page.items], page.total, page.total_is_exact) == (
        [numbers[2], numbers[1]],
        5,
        True,
    )


def test_what_is_older_than_the_newest_rows_is_found_too(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    old = [desk.accept(title="rare", type=kind).id for kind in ("info", "error", "info")]
    for _ in range(5):
        desk.accept(title="common")
    monkeypatch.setattr(search, "NEAREST", 2)
    monkeypatch.setattr(search, "NEAREST_FILTERED", 2)
    monkeypatch.setattr(search, "PART", 1)
    assert _found("rare") == old[::-1]
    assert _found("rare", type="error") == [old[1]]
    assert _found("rare", after=old[0]) == old[1:]


def test_a_start_of_more_words_than_are_looked_up_is_found_all_the_same(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = "x" * (PREFIXES + 1)
    numbers = [desk.accept(title=f"{start}{ending}").id for ending in ("", "a", "b", "c")]
    for most in (10, 2):
        monkeypatch.setattr(search, "MOST_ENDINGS", most)
        assert _found(start) == numbers[::-1]


def test_more_than_are_counted_are_said_to_be_at_least_so_many(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "COUNTED", 3)
    monkeypatch.setattr(lists, "COUNTED_IN_SEARCH", 3)
    for _ in range(4):
        desk.accept(title="backup")
    for q in (None, "backup"):
        with reading() as session:
            first, second = (
                list_notifications(session, HistoryQuery(q=q, page=page, page_size=2)) for page in (1, 2)
            )
        assert (first.total, first.total_is_exact) == (3, False)
        assert (second.total, second.total_is_exact) == (4, True)


def test_what_was_deleted_leaves_the_index_at_once(desk: Desk) -> None:
    gone, kept = desk.accept(title="backup").id, desk.accept(title="backup").id
    with transaction() as session:
        history.delete(session, gone)
    assert _found("backup") == [kept]
    assert _indexed() == [kept]
    history.delete_all()
    assert _indexed() == []


def test_what_the_retention_removes_leaves_the_index(desk: Desk, settings: Settings) -> None:
    old, kept = desk.accept(title="backup"), desk.accept(title="backup").id
    deliver(desk.delivery_id(old))
    long_ago = utcnow() - timedelta(days=settings.retention_days + 1)
    with transaction() as session:
        session.execute(update(Notification).where(Notification.id == old.id).values(created_at=long_ago))
    assert history.purge_deleted() == 1
    assert _indexed() == [kept]
    assert _found("backup") == [kept]


def test_what_was_rolled_back_is_not_in_the_index(desk: Desk) -> None:
    def fail() -> None:
        with transaction() as session:
            desk_accept(session)
            raise LookupError

    def desk_accept(session: Any) -> None:
        from vabhub.notify.accept import NewNotification, accept

        accept(session, NewNotification(title="backup", message="m"), source="test")

    with pytest.raises(LookupError):
        fail()
    assert _indexed() == []


def test_migrating_indexes_what_is_there_and_goes_down_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vabhub.notify.search_index.SLICE", 2)
    numbers = [desk.accept(title="下载完成", message=f"backup {number}").id for number in range(5)]
    with transaction() as session:
        history.delete(session, numbers.pop(1))
    migrate.downgrade("0003")
    with db.get_engine().connect() as connection:
        assert connection.scalar(select(func.count()).select_from(Notification)) == 5
    migrate.upgrade()
    assert _found("backup 载完") == numbers[::-1]
    assert _indexed() == numbers


def test_the_index_is_whole(desk: Desk, database: Settings) -> None:
    for number in range(20):
        desk.accept(title=f"下载 {number}")
    with transaction() as session:
        history.delete(session, 3)
        if database.database_url.startswith("sqlite"):
            check = "INSERT INTO notification_words(notification_words) VALUES ('integrity-check')"
            session.execute(text(check))
    assert len(_found("下载")) == 19
