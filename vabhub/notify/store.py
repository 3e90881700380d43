"""Writes a notification and its deliveries, past the mapper: it runs for every POST."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Table, bindparam, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from vabhub.notify.prepared import Prepared
from vabhub.notify.states import DELIVERY, NOTIFICATION

# Any number that no other program on the same PostgreSQL uses for its advisory lock.
_IDS_IN_ORDER = 0x7661_6268_7563
_LOCK = Prepared(select(func.pg_advisory_xact_lock(bindparam("the_lock"))))


def insert_notification(session: Session, values: Mapping[str, Any]) -> SimpleNamespace | None:
    """Insert the row and return its columns, or None when its key exists.

    Of fifty with one key at once, one inserts and the rest wait for it.
    """
    dialect = session.get_bind().dialect.name
    if dialect == "postgresql":
        # Ids are a cursor (`after`), so they must become visible in their order: whoever takes one commits
        # before the next is taken. SQLite has one writer anyway.
        _LOCK.run(session, the_lock=_IDS_IN_ORDER)
    row = dict.fromkeys(_COLUMNS) | dict(values)
    number = _NOTIFICATION[dialect].run(session, **row).scalar_one_or_none()
    return None if number is None else SimpleNamespace(**row, id=number)


def insert_delivery(session: Session, values: Mapping[str, Any]) -> SimpleNamespace:
    """Insert a delivery and return its columns."""
    dialect = session.get_bind().dialect.name
    number = _DELIVERY[dialect].run(session, **values).scalar_one()
    fresh = dict.fromkeys(("owner", "lease_until", "last_error", "progress", "finished_at"))
    return SimpleNamespace(**fresh, **values, id=number)


def _inserts(table: Table, columns: tuple[str, ...], *unique: str) -> dict[str, Prepared]:
    values = {name: bindparam(name, type_=table.c[name].type) for name in columns}
    made = {}
    for name, insert in (("sqlite", sqlite.insert), ("postgresql", postgresql.insert)):
        statement = insert(table).values(values)
        if unique:
            statement = statement.on_conflict_do_nothing(index_elements=unique)
        made[name] = Prepared(statement.returning(table.c.id))
    return made


_COLUMNS = tuple(column.name for column in NOTIFICATION.columns if column.name != "id")
_NOTIFICATION = _inserts(NOTIFICATION, _COLUMNS, "source", "idempotency_key")
_DELIVERY = _inserts(
    DELIVERY,
    (
        *("webhook_id", "notification_id", "channel", "state", "priority", "next_attempt_at", "hint_at"),
        *("attempts", "crashes", "epoch", "cancel_requested", "created_at"),
    ),
)
