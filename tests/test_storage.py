"""Migrations and transactions, on SQLite and PostgreSQL."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta, timezone

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text

from vabhub import clock, db, migrate
from vabhub.errors import Unavailable
from vabhub.models import Activity, Base, Channel
from vabhub.settings import Settings, load_settings, use_settings

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def test_migrations_make_exactly_the_models_tables(database: Settings) -> None:
    with db.get_engine().connect() as connection:
        opts = {"compare_type": True, "include_name": migrate.is_described}
        context = MigrationContext.configure(connection, opts=opts)
        assert compare_metadata(context, Base.metadata) == []


def test_migrations_go_down_to_nothing_and_up_again(database: Settings) -> None:
    migrate.downgrade("base")
    assert set(inspect(db.get_engine()).get_table_names()) <= {"alembic_version"}
    migrate.upgrade()
    assert migrate.current() == migrate.newest()


def test_the_inbox_channel_is_there_after_migrating(database: Settings) -> None:
    with db.reading() as session:
        channel = session.query(Channel).one()
    assert (channel.name, channel.kind, channel.enabled, channel.builtin) == ("system", "system", True, True)


def test_a_rolled_back_transaction_stores_nothing_and_calls_nothing(database: Settings) -> None:
    called = []

    def attempt() -> None:
        with db.transaction() as session:
            session.add(_activity())
            db.after_commit(session, lambda: called.append(1))
            raise LookupError

    with pytest.raises(LookupError):
        attempt()
    with db.reading() as session:
        assert session.query(Activity).count() == 0
    assert called == []


def test_after_commit_sees_what_was_committed(database: Settings) -> None:
    seen = []

    def look() -> None:
        with db.reading() as session:
            seen.append(session.query(Activity).count())

    with db.transaction() as session:
        session.add(_activity())
        db.after_commit(session, look)
    assert seen == [1]


def test_a_failing_callback_does_not_undo_the_commit(database: Settings) -> None:
    def fail() -> None:
        raise RuntimeError("the hint was lost")

    with db.transaction() as session:
        session.add(_activity())
        db.after_commit(session, fail)
    with db.reading() as session:
        assert session.query(Activity).count() == 1


def test_transactions_do_not_nest(database: Settings) -> None:
    with db.transaction(), pytest.raises(RuntimeError, match="inside"), db.transaction():
        pass


def test_many_writers_at_once_lose_nothing(database: Settings) -> None:
    def write() -> None:
        for _ in range(20):
            with db.transaction() as session:
                session.add(_activity())

    threads = [threading.Thread(target=write) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with db.reading() as session:
        assert session.query(Activity).count() == 120


def test_times_come_back_aware_and_in_utc(database: Settings) -> None:
    berlin = timezone(timedelta(hours=1))
    with db.transaction() as session:
        session.add(_activity(at=NOW.astimezone(berlin)))
    with db.reading() as session:
        stored = session.query(Activity).one().at
    assert stored == NOW
    assert stored.utcoffset() == timedelta(0)


def test_a_time_without_a_zone_is_refused(database: Settings) -> None:
    with pytest.raises(Exception, match="without a zone"), db.transaction() as session:
        session.add(_activity(at=NOW.replace(tzinfo=None)))


def test_db_now_is_close_to_our_clock(database: Settings) -> None:
    with db.transaction() as session:
        assert abs(db.db_now(session) - clock.utcnow()) < timedelta(seconds=5)


def test_a_locked_sqlite_is_unavailable_after_the_wait(
    sqlite: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db, "LOCK_WAIT_S", 0.2)
    other = db.make_engine(sqlite.database_url)
    with other.connect() as holder:
        holder.execute(text("DELETE FROM activity"))
        with pytest.raises(Unavailable), db.transaction():
            pass
    other.dispose()


def test_a_postgresql_that_is_not_there_is_unavailable(settings: Settings) -> None:
    use_settings(
        settings.model_copy(update={"database_url": "postgresql+psycopg://nobody@127.0.0.1:1/nothing"})
    )
    with pytest.raises(Unavailable), db.transaction() as session:
        session.execute(text("SELECT 1"))


def test_sqlite_keeps_what_was_committed_when_power_fails(sqlite: Settings) -> None:
    with db.transaction() as session:
        pragmas = [
            session.scalar(text(f"PRAGMA {name}")) for name in ("journal_mode", "synchronous", "foreign_keys")
        ]
    assert pragmas == ["wal", 2, 1]


def test_heroku_addresses_are_understood() -> None:
    made = load_settings({"DATABASE_URL": "postgres://u:p@h/d", "SECRET_KEY": "k" * 16})
    assert made.database_url == "postgresql+psycopg://u:p@h/d"


def _activity(at: datetime = NOW) -> Activity:
    return Activity(at=at, kind="test.event", source="test", title="An event")
