"""Statements that run for every delivery, put together once: building one costs more than running it."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from sqlalchemy import BindParameter, Connection, CursorResult, Executable, bindparam
from sqlalchemy.orm import Session


def in_words(*values: StrEnum) -> BindParameter[Any]:
    """Return a constant, or some, written out: only then a database can see that a partial index fits."""
    if len(values) == 1:
        return bindparam(None, values[0].value, literal_execute=True)
    return bindparam(None, [value.value for value in values], expanding=True, literal_execute=True)


class Prepared:
    """A Core statement whose values are all `bindparam`s.

    It is made of tables, not of mapped classes: the mapper's way to a row costs three times as much.
    """

    def __init__(self, statement: Executable) -> None:
        self._statement = statement

    def run(self, session: Session, **parameters: Any) -> CursorResult[Any]:
        """Run it in the session's transaction."""
        connection: Connection = session.info.get("connection") or session.connection()
        return connection.execute(self._statement, parameters)
