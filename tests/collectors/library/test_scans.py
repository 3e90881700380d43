"""Scans are asked for once, run once, and leave a record of how they went."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from dramatiq.middleware import Shutdown
from sqlalchemy import func, select, update

from tests.collectors.library.trees import make_tree
from vabhub.clock import utcnow
from vabhub.collectors.library import (
    current_scans,
    media_stats,
    request_all_scans,
    request_due_scans,
    request_scan,
    run_scan,
    scan_run,
    sync_roots,
)
from vabhub.collectors.library.scan import Progress, ScanResult
from vabhub.db import reading, transaction
from vabhub.errors import NotFound
from vabhub.models import Activity, LibraryRoot, LibraryScan
from vabhub.settings import MediaRoot, Settings

MakeRoots = Callable[..., Settings]


@pytest.fixture
def library(database: Settings, redis: None, tmp_path: Path) -> Settings:
    """Settings with one root of two films, not yet in the table."""
    make_tree(tmp_path / "movies", ["A (2001) 1080p.mkv", "B (2002).mkv"])
    return database.model_copy(update={"media_roots": (MediaRoot(path=tmp_path / "movies", kind="movies"),)})


def _queued(settings: Settings) -> int:
    with transaction() as session:
        root_id = sync_roots(session, settings)[0]
        request_scan(session, root_id)
    return root_id


def _newest() -> dict[str, object]:
    with reading() as session:
        return current_scans(session)[-1]


def _shift(**columns: object) -> None:
    with transaction() as session:
        session.execute(update(LibraryScan).values(**columns))


def test_a_scan_runs_and_is_recorded(library: Settings, tmp_path: Path) -> None:
    root_id = _queued(library)
    assert _newest()["state"] == "queued"
    assert run_scan(root_id) is True
    scan = _newest()
    assert (scan["root"], scan["kind"]) == (str(tmp_path / "movies"), "movies")
    assert (scan["state"], scan["done"], scan["total"], scan["error"]) == ("done", 2, 2, None)
    assert str(scan["started_at"]) <= str(scan["finished_at"])
    with reading() as session:
        activity = session.scalars(select(Activity)).one()
        data = activity.data or {}
        assert (activity.kind, data["added"], data["root_kind"]) == ("library.scan_done", 2, "movies")


def test_asking_twice_queues_one_scan(library: Settings) -> None:
    root_id = _queued(library)
    with transaction() as session:
        first = request_scan(session, root_id)
        assert request_all_scans(session) == [first]
        assert session.scalar(select(func.count()).select_from(LibraryScan)) == 1


def test_a_task_without_a_queued_scan_is_a_request_of_its_own(library: Settings) -> None:
    root_id = _queued(library)
    assert [run_scan(root_id), run_scan(root_id)] == [True, True]
    with reading() as session:
        states = session.execute(select(LibraryScan.state, LibraryScan.parsed).order_by(LibraryScan.id)).all()
    assert [tuple(row) for row in states] == [("done", 2), ("done", 0)]


def test_a_task_for_a_root_that_is_not_there_does_nothing(library: Settings, database: Settings) -> None:
    assert run_scan(4711) is False
    root_id = _queued(library)
    with transaction() as session:
        sync_roots(session, database)
    assert run_scan(root_id) is False


def test_of_many_workers_one_runs_the_scan(library: Settings) -> None:
    root_id = _queued(library)
    ran: list[bool] = []
    together = threading.Barrier(4)
    others_done = threading.Event()

    def slow(_root_id: int, _progress: Progress) -> ScanResult:
        assert others_done.wait(20)
        return ScanResult()

    def work() -> None:
        together.wait()
        ran.append(run_scan(root_id, scanner=slow))
        if len(ran) == 3:
            others_done.set()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ran == [False, False, False, True]


def test_an_unknown_or_disabled_root_cannot_be_scanned(library: Settings, database: Settings) -> None:
    root_id = _queued(library)
    with transaction() as session:
        sync_roots(session, database)
        with pytest.raises(NotFound):
            request_scan(session, root_id)
        with pytest.raises(NotFound):
            request_scan(session, 4711)


def test_a_vanished_root_fails_the_scan_and_keeps_the_counts(library: Settings, tmp_path: Path) -> None:
    root_id = _queued(library)
    run_scan(root_id)
    shutil.move(tmp_path / "movies", tmp_path / "unplugged")
    _queued(library)
    run_scan(root_id)
    scan = _newest()
    assert scan["state"] == "failed"
    assert "cannot be read" in str(scan["error"])
    with reading() as session:
        snapshot = media_stats(session)
    assert (snapshot.status, snapshot.error_code) == ("stale", "ROOT_GONE")
    assert snapshot.data and snapshot.data["total_movies"] == 2


def test_a_root_that_came_back_is_fresh_again(library: Settings, tmp_path: Path) -> None:
    root_id = _queued(library)
    run_scan(root_id)
    for source, target in (("movies", "unplugged"), ("unplugged", "movies")):
        shutil.move(tmp_path / source, tmp_path / target)
        _queued(library)
        run_scan(root_id)
    with reading() as session:
        assert session.get_one(LibraryRoot, root_id).stale_reason is None
        assert media_stats(session).status == "ok"


def test_a_root_that_stays_away_is_news_once(library: Settings, tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / "movies")
    for _ in range(3):
        run_scan(_queued(library))
    with reading() as session:
        assert session.scalars(select(Activity.kind)).all() == ["library.scan_failed"]


def test_a_stopping_worker_leaves_the_scan_queued(library: Settings) -> None:
    root_id = _queued(library)

    def stop(_root_id: int, _progress: Progress) -> ScanResult:
        raise Shutdown

    with pytest.raises(Shutdown):
        run_scan(root_id, scanner=stop)
    assert _newest()["state"] == "queued"
    assert run_scan(root_id) is True
    assert _newest()["state"] == "done"


def test_a_scan_that_breaks_says_why(library: Settings) -> None:
    root_id = _queued(library)

    def break_down(_root_id: int, _progress: Progress) -> ScanResult:
        raise RuntimeError("the disk made a noise")

    with pytest.raises(RuntimeError):
        run_scan(root_id, scanner=break_down)
    assert (_newest()["state"], _newest()["error"]) == ("failed", "RuntimeError: the disk made a noise")


def test_a_killed_workers_scan_is_failed_and_a_new_one_runs(library: Settings) -> None:
    root_id = _queued(library)
    _shift(state="running", updated_at=utcnow() - timedelta(seconds=59))
    assert run_scan(root_id) is False
    _shift(state="running", updated_at=utcnow() - timedelta(seconds=61))
    assert run_scan(root_id) is True
    with reading() as session:
        states = session.scalars(select(LibraryScan.state).order_by(LibraryScan.id)).all()
    assert states == ["failed", "done"]


def test_a_scan_that_was_taken_over_stops_writing(library: Settings) -> None:
    root_id = _queued(library)
    claimed = scan_run.claim(root_id)
    assert claimed is not None
    _shift(state="cancelled")
    with pytest.raises(scan_run.ScanLost):
        scan_run.ProgressWriter(claimed.id)(1, 2)
    assert _newest()["state"] == "cancelled"


def test_due_are_new_roots_old_scans_and_lost_hints(library: Settings) -> None:
    def due() -> int:
        with transaction() as session:
            return request_due_scans(session, library)

    assert due() == 1  # never scanned
    assert due() == 0  # queued and hinted just now
    _shift(queued_at=utcnow() - timedelta(seconds=31))
    assert due() == 1  # the hint was lost
    with reading() as session:
        root_id = session.scalars(select(LibraryRoot.id)).one()
    run_scan(root_id)
    assert due() == 0  # fresh
    _shift(queued_at=utcnow() - timedelta(hours=7))
    assert due() == 1  # old


def test_a_failed_scan_is_due_again_after_minutes(library: Settings, tmp_path: Path) -> None:
    root_id = _queued(library)
    shutil.rmtree(tmp_path / "movies")
    run_scan(root_id)
    with transaction() as session:
        assert request_due_scans(session, library) == 0
    _shift(queued_at=utcnow() - timedelta(minutes=6))
    with transaction() as session:
        assert request_due_scans(session, library) == 1


def test_redis_down_costs_only_the_hint(database: Settings, tmp_path: Path) -> None:
    from vabhub import queues, redis_client
    from vabhub.settings import use_settings

    make_tree(tmp_path / "movies", ["A (2001).mkv"])
    roots = (MediaRoot(path=tmp_path / "movies", kind="movies"),)
    use_settings(database.model_copy(update={"media_roots": roots, "redis_url": "unix:///nowhere/r.sock"}))
    redis_client.close()
    queues.reset()
    with transaction() as session:
        root_id = sync_roots(session, database.model_copy(update={"media_roots": roots}))[0]
        request_scan(session, root_id)
    assert _newest()["state"] == "queued"
    assert run_scan(root_id) is True
