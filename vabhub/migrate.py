"""Bring the database to the newest revision, or tell whether it is there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from vabhub.db import get_engine, unavailable_when_down

SCRIPTS = Path(__file__).resolve().parent.parent / "migrations"
# Any number that no other program on the same PostgreSQL uses for its advisory lock.
_LOCK_ID = 0x7661_6268_7562


def upgrade(revision: str = "head") -> None:
    """Migrate up; when several processes start at once, one migrates and the others wait for it."""
    with unavailable_when_down(), get_engine().begin() as connection:
        _lock(connection)
        command.upgrade(_config(connection), revision)


def downgrade(revision: str) -> None:
    """Migrate down to `revision` ("base" empties the database)."""
    with unavailable_when_down(), get_engine().begin() as connection:
        _lock(connection)
        command.downgrade(_config(connection), revision)


def newest() -> str:
    """Return the revision this code needs."""
    head = ScriptDirectory(str(SCRIPTS)).get_current_head()
    assert head is not None
    return head


def current() -> str | None:
    """Return the revision the database is at, None when it is empty."""
    engine = get_engine().execution_options(vabhub_begin="BEGIN")
    with unavailable_when_down(), engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def is_described(name: str | None, kind: str, _parents: Mapping[str, str | None]) -> bool:
    """Say whether the models describe a table; the search's index is SQL of its own in each database."""
    return kind != "table" or not (name or "").startswith(("notification_words", "notification_terms"))


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    config.attributes["connection"] = connection
    return config


def _lock(connection: Connection) -> None:
    # SQLite needs no lock of its own: the transaction took the write lock when it began.
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:id)"), {"id": _LOCK_ID})
