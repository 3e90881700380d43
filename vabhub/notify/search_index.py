"""The index of words beside the notifications: made, filled, and kept in their transactions (ADR 0010)."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import BigInteger, Connection, bindparam, column, delete, func, insert, table, text
from sqlalchemy.dialects.postgresql import ARRAY, TEXT
from sqlalchemy.orm import Session

from vabhub.notify.words import words_of

# SQLite: an FTS5 table. PostgreSQL: an ordinary one with a GIN index. `rowid` is the notification's id.
INDEX = table("notification_words", column("rowid", BigInteger), column("words"))
PREFIXES = 3  # so many first characters of a word have an index of their own in FTS5
SLICE = 2000

# The words come cut and folded: the tokenizer `ascii` lets every other character through as it is. The only
# question is whether a word is there, so neither its place nor any size is kept.
_FTS5 = (
    "CREATE VIRTUAL TABLE notification_words"
    " USING fts5(words, tokenize = 'ascii', detail = none, columnsize = 0, prefix = '1 2 3')"
)
_TERMS = "CREATE VIRTUAL TABLE notification_terms USING fts5vocab(notification_words, instance)"
_TABLE = (
    "CREATE TABLE notification_words"
    " (rowid BIGINT PRIMARY KEY REFERENCES notification (id) ON DELETE CASCADE, words TSVECTOR NOT NULL)"
)
# Without a list of what is pending, which every search would read and one unlucky POST would have to empty.
_GIN = "CREATE INDEX ix_notification_words ON notification_words USING gin (words) WITH (fastupdate = off)"
_ROWS = text(
    "SELECT id, title, message FROM notification"
    " WHERE id > :above AND deleted_at IS NULL ORDER BY id LIMIT :limit"
)


def add(session: Session, notification_id: int, title: str, message: str) -> None:
    """Index a notification that is being stored."""
    _add(session.connection(), [(notification_id, title, message)])


def forget(session: Session, notification_ids: Collection[int]) -> None:
    """Take notifications out: they are deleted, or are not to be found any more."""
    gone = delete(INDEX).where(INDEX.c.rowid.in_(list(notification_ids)))
    session.execute(gone.execution_options(synchronize_session=False))


def build(connection: Connection) -> int:
    """Make the index of all notifications that are not deleted; return how many there are."""
    postgresql = connection.dialect.name == "postgresql"
    for statement in (_TABLE,) if postgresql else (_FTS5, _TERMS):
        connection.execute(text(statement))
    number = _fill(connection)
    if postgresql:  # at the end, which is eighty times as fast as row by row
        connection.execute(text(_GIN))
    return number


def drop(connection: Connection) -> None:
    """Remove the index."""
    if connection.dialect.name == "sqlite":
        connection.execute(text("DROP TABLE notification_terms"))
    connection.execute(text("DROP TABLE notification_words"))


def _fill(connection: Connection) -> int:
    """A slice at a time: memory is not for a million of them."""
    number, last = 0, 0
    while rows := list(connection.execute(_ROWS, {"above": last, "limit": SLICE})):
        _add(connection, rows)
        number, last = number + len(rows), rows[-1][0]
    return number


def _add(connection: Connection, rows: Iterable[Any]) -> None:
    cut = [(number, words_of(title, message)) for number, title, message in rows]
    if connection.dialect.name == "postgresql":
        words: Any = func.array_to_tsvector(bindparam("some", type_=ARRAY(TEXT)))
        values: list[dict[str, Any]] = [{"number": number, "some": some} for number, some in cut]
    else:
        words = bindparam("some")
        values = [{"number": number, "some": " ".join(some)} for number, some in cut]
    connection.execute(insert(INDEX).values(rowid=bindparam("number"), words=words), values)
