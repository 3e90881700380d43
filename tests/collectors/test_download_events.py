"""What happens to downloads is told once: not what was there before, and nothing again after a restart."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from vabhub import clock as clocks
from vabhub.clock import utcnow
from vabhub.collectors.downloads.base import DownloadItem, DownloadState, Reading
from vabhub.collectors.downloads.faults import FaultCode, SourceFault
from vabhub.collectors.downloads.watch import Watch
from vabhub.db import reading
from vabhub.models import Notification
from vabhub.settings import Settings

BLANK: dict[str, Any] = dict.fromkeys(DownloadItem.__slots__)


def _item(
    name: str, state: str, *, progress: float | None = 0.5, added_at: str | None = None
) -> DownloadItem:
    fields = {**BLANK, "id": name, "instance": "q", "name": name, "progress": progress, "added_at": added_at}
    return DownloadItem(**{**fields, "state": DownloadState(state)})


def _reading(*items: DownloadItem, mark: str = "one") -> Reading:
    return Reading("q", utcnow(), items, mark=mark)


def _told() -> list[str]:
    with reading() as session:
        rows = session.scalars(select(Notification).order_by(Notification.id)).all()
    return [f"{row.template}: {(row.data or {})['name']}" for row in rows]


@pytest.fixture
def watch(sqlite: Settings, redis: None) -> Watch:
    """Eyes that have seen an instance with one download that is done and one that runs."""
    return _watching(sqlite)


def _watching(settings: Settings) -> Watch:
    made = Watch(settings)
    made.see([_reading(_item("old", "seeding", progress=1), _item("running", "downloading"))])
    return made


OLD = _item("old", "seeding", progress=1)


def test_what_was_there_at_the_first_sight_is_not_told(watch: Watch) -> None:
    watch.see([_reading(OLD, _item("running", "downloading"))])
    assert _told() == []


def test_added_completed_failed_are_told_once_each(database: Settings, redis: None) -> None:
    watch = _watching(database)
    for state in ("downloading", "stalled", "downloading", "seeding", "seeding", "completed"):
        watch.see([_reading(OLD, _item("new", state, progress=1 if state != "downloading" else 0.5))])
    for state in ("error", "error"):
        watch.see([_reading(OLD, _item("running", state))])
    expected = ["download.added: new", "download.completed: new", "download.failed: running"]
    assert _told() == expected
    Watch(database).see([_reading(OLD, _item("new", "seeding", progress=1), _item("running", "error"))])
    assert _told() == expected


def test_what_happens_while_nobody_looks_is_told_after_a_restart(watch: Watch, sqlite: Settings) -> None:
    Watch(sqlite).see(
        [_reading(OLD, _item("running", "completed", progress=1), _item("late", "downloading"))]
    )
    assert _told() == ["download.completed: running", "download.added: late"]


def test_an_instance_that_was_empty_tells_of_the_first_download(sqlite: Settings, redis: None) -> None:
    watch = Watch(sqlite)
    watch.see([_reading()])
    watch.see([_reading(_item("first", "downloading"))])
    assert _told() == ["download.added: first"]


def test_another_client_behind_the_same_name_is_seen_for_the_first_time(watch: Watch) -> None:
    watch.see([_reading(_item("theirs", "seeding", progress=1), mark="two")])
    assert _told() == []


def test_a_client_that_restarts_with_an_empty_list_tells_nothing(watch: Watch) -> None:
    watch.see([_reading()])
    for state in ("checking", "moving", "seeding"):
        watch.see([_reading(_item("old", state, progress=1 if state == "seeding" else 0))])
    fault = SourceFault(FaultCode.REFUSED, "down")
    watch.see([replace(_reading(), fault=fault)])
    assert _told() == []


def test_a_seed_without_peers_is_still_done(watch: Watch) -> None:
    watch.see([_reading(_item("old", "stalled", progress=1)), _reading(OLD)])
    assert _told() == []


def test_a_download_that_is_deleted_and_added_again_is_new(watch: Watch) -> None:
    for added_at in ("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"):
        watch.see([_reading(OLD, _item("twice", "downloading", added_at=added_at))])
    assert _told() == ["download.added: twice", "download.added: twice"]


def test_a_magnet_is_told_when_it_has_its_name(watch: Watch) -> None:
    watch.see([_reading(OLD, _item("magnet", "metadata", progress=None))])
    assert _told() == []
    watch.see([_reading(OLD, _item("magnet", "downloading"))])
    assert _told() == ["download.added: magnet"]


def test_stalled_is_told_after_its_minutes_and_not_again_the_same_day(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = utcnow()
    told: dict[int, list[str]] = {}
    for minutes in (0, 29, 31, 60, 61, 200):
        monkeypatch.setattr(clocks, "_now", lambda minutes=minutes: now + timedelta(minutes=minutes))
        state = "downloading" if minutes == 60 else "stalled"
        watch.see([_reading(OLD, _item("running", state))])
        told[minutes] = _told()
    assert told[29] == []
    assert told[31] == told[200] == ["download.stalled: running"]


def test_a_crowd_is_told_in_one(watch: Watch) -> None:
    watch.see([_reading(OLD, *(_item(f"n{number}", "downloading") for number in range(300)))])
    assert _told() == ["download.added: 300 downloads"]


def test_a_process_that_was_overtaken_tells_nothing(database: Settings, redis: None) -> None:
    watch = _watching(database)
    other = Watch(database)
    other.see([_reading(OLD, _item("new", "downloading"))])
    watch.see([_reading(OLD, _item("new", "downloading"))])
    watch.see([_reading(OLD, _item("new", "downloading"))])
    assert _told() == ["download.added: new"]


def test_only_what_is_wanted_is_told_and_to_whom(sqlite: Settings, redis: None) -> None:
    chosen = sqlite.model_copy(update={"download_events": ("completed",), "download_channels": ("gone",)})
    watch = Watch(chosen)
    watch.see([_reading()])
    watch.see([_reading(_item("a", "downloading"))])
    watch.see([_reading(_item("a", "completed", progress=1))])
    assert _told() == ["download.completed: a"]  # the channel does not exist: the inbox has it
