"""The `after` cursor skips nothing: ids become visible in their order."""

from __future__ import annotations

import threading

from tests.notify.conftest import Desk
from vabhub.db import reading, transaction
from vabhub.notify.accept import NewNotification, accept
from vabhub.notify.lists import HistoryQuery, list_notifications


def _after(cursor: int) -> list[int]:
    with reading() as session:
        return [item["id"] for item in list_notifications(session, HistoryQuery(after=cursor)).items]


def test_what_commits_late_is_not_behind_the_cursor(desk: Desk) -> None:
    inserted, go_on = threading.Event(), threading.Event()
    ids: list[int] = []

    def slow() -> None:
        request = NewNotification(title="slow", message="", channels=["system"])
        with transaction() as session:
            ids.append(accept(session, request, source="slow").id)
            inserted.set()
            go_on.wait(timeout=3)

    first = threading.Thread(target=slow)
    first.start()
    assert inserted.wait(timeout=10)
    second = threading.Thread(target=lambda: ids.append(desk.accept("system", title="fast").id))
    second.start()
    second.join(timeout=0.5)  # it may finish first, if it is allowed to
    seen = _after(0)
    go_on.set()
    first.join()
    second.join()
    assert sorted(seen + _after(max(seen, default=0))) == sorted(ids)
