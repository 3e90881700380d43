"""Engine and transactions, the same for SQLite and PostgreSQL."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, exc, text
from sqlalchemy.orm import Session

from vabhub import clock
from vabhub.errors import Unavailable
from vabhub.log import get_logger
from vabhub.settings import get_settings

log = get_logger(__name__)

LOCK_WAIT_S = 5.0
# SQLite waits for a lock inside C, where it would hold up every greenlet of the web process. So it waits
# little there and we wait the rest out here, in a sleep that others can run in.
_SQLITE_BUSY_MS = 100
_POSTGRES_OPTIONS = "-c statement_timeout=10000 -c idle_in_transaction_session_timeout=15000 -c timezone=UTC"
_BEGIN = "vabhub_begin"

_engine: Engine | None = None
# The writers of one process queue here, where waiting is free; only processes compete by asking again.
_sqlite_writer = threading.Lock()
_give_up_at: ContextVar[float | None] = ContextVar("give_up_at", default=None)
_in_transaction: ContextVar[bool] = ContextVar("in_transaction", default=False)


def get_engine() -> Engine:
    """Return this process's engine, making it on the first call."""
    global _engine
    if _engine is None:
        _engine = make_engine(get_settings().database_url)
    return _engine


def dispose() -> None:
    """Close this process's connections; the next call opens new ones."""
    global _engine
    if _engine is not None:
        _engine.dispose()
        _engine = None


def make_engine(url: str) -> Engine:
    """Return an engine with the settings that delivery was measured with."""
    if url.startswith("sqlite"):
        engine = create_engine(url, pool_size=10, max_overflow=10, pool_timeout=LOCK_WAIT_S)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    return create_engine(
        url,
        pool_size=10,
        max_overflow=10,
        pool_timeout=LOCK_WAIT_S,
        pool_pre_ping=True,
        connect_args={"connect_timeout": 3, "options": _POSTGRES_OPTIONS},
    )


@contextmanager
def transaction() -> Iterator[Session]:
    """Commit when the block ends, roll back when it raises; then run what after_commit() was given.

    On SQLite it takes the write lock at once (BEGIN IMMEDIATE): a deferred transaction that later wants to
    write fails without waiting. Raises Unavailable when the database is locked, full or away; then nothing
    was stored. Transactions do not nest.
    """
    if _in_transaction.get():
        raise RuntimeError("a transaction inside a transaction: pass the session on instead")
    mark = _in_transaction.set(True)
    try:
        with _writer(), unavailable_when_down(), Session(get_engine(), expire_on_commit=False) as session:
            with session.begin():
                # It begins now, not at the first statement; kept for those that want it for each of theirs.
                session.info["connection"] = session.connection()
                yield session
            callbacks = session.info.pop("after_commit", [])
            session.info.pop("connection")
    finally:
        _in_transaction.reset(mark)
    _run_after_commit(callbacks)


@contextmanager
def reading() -> Iterator[Session]:
    """Give one consistent view to read from; it waits for no writer and must not write.

    Raises Unavailable when the database does not answer.
    """
    engine = get_engine().execution_options(**{_BEGIN: "BEGIN"})
    with unavailable_when_down(), Session(engine) as session:
        yield session


def after_commit(session: Session, callback: Callable[[], object]) -> None:
    """Run `callback` once the surrounding transaction() is committed, and never if it is rolled back."""
    session.info.setdefault("after_commit", []).append(callback)


def db_now(session: Session) -> datetime:
    """Return the time that leases and due times are compared with.

    PostgreSQL's own clock, since workers may run on machines whose clocks differ; SQLite lives on one
    machine, whose clock it is.
    """
    if session.get_bind().dialect.name == "postgresql":
        now: datetime = session.scalar(text("SELECT clock_timestamp()"))
        return now
    return clock.utcnow()


@contextmanager
def unavailable_when_down() -> Iterator[None]:
    """Turn an outage of the database into Unavailable."""
    try:
        yield
    except (exc.OperationalError, exc.InterfaceError, exc.TimeoutError, exc.DisconnectionError) as error:
        reason = str(getattr(error, "orig", None) or error).splitlines()[0][:200]
        log.warning("db.unavailable", reason=reason)
        raise Unavailable("The database does not answer; nothing was stored.", retry_after_s=5) from error


@contextmanager
def _writer() -> Iterator[None]:
    """On SQLite, let one transaction of this process write at a time, in the order of asking as a rule."""
    if get_engine().dialect.name != "sqlite":
        yield
        return
    deadline = time.monotonic() + LOCK_WAIT_S
    if not _sqlite_writer.acquire(timeout=LOCK_WAIT_S):
        log.warning("db.unavailable", reason="another transaction of this process holds the database")
        raise Unavailable("The database does not answer; nothing was stored.", retry_after_s=5)
    mark = _give_up_at.set(deadline)
    try:
        yield
    finally:
        _give_up_at.reset(mark)
        _sqlite_writer.release()


def _run_after_commit(callbacks: list[Callable[[], object]]) -> None:
    for callback in callbacks:
        try:
            callback()
        except Exception:
            # The rows are committed: whatever follows is a hint that the sweep repeats, and an error here
            # would tell the caller that nothing was stored.
            log.exception("db.after_commit_failed")


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves
    cursor = connection.cursor()
    for pragma in (
        f"busy_timeout={_SQLITE_BUSY_MS}",
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "journal_size_limit=67108864",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    statement = connection.get_execution_options().get(_BEGIN, "BEGIN IMMEDIATE")
    deadline = _give_up_at.get() or time.monotonic() + LOCK_WAIT_S
    pause_s = 0.001
    while True:
        try:
            connection.exec_driver_sql(statement)
        except exc.OperationalError as error:
            if not _is_locked(error) or time.monotonic() > deadline:
                raise
            time.sleep(pause_s)
            pause_s = min(pause_s * 2, 0.05)
        else:
            return


def _is_locked(error: exc.OperationalError) -> bool:
    codes = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
    return getattr(error.orig, "sqlite_errorcode", 0) & 0xFF in codes
