"""Finds notifications by their words, newest first, in the index that `search_index` keeps (ADR 0010)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Select, any_, bindparam, literal_column, select, text
from sqlalchemy.dialects.postgresql import ARRAY, TSQUERY
from sqlalchemy.orm import Session

from vabhub.models import Notification
from vabhub.notify.search_index import INDEX, PREFIXES
from vabhub.notify.words import asked_words

# PostgreSQL: so many rows from the newest on are read one by one before the index is asked. A common word
# has enough of them there; to sort all that the index knows of it takes half a second in a million.
NEAREST = 20_000
NEAREST_FILTERED = 50_000  # where not every hit counts
# And of what the index knows, the newest are looked at.
HITS = 50_000
PART = 2000
# SQLite: the start of a word stands for at most so many whole ones.
MOST_ENDINGS = 32
_TERM = text("SELECT term FROM notification_terms WHERE term >= :start LIMIT 1")

Filters = Sequence[ColumnElement[bool]]
Words = Sequence[tuple[str, bool]]


def find(
    session: Session, question: str, filters: Filters, *, limit: int, after: int | None = None
) -> list[int]:
    """Return the ids of what holds every word of `question` and passes `filters` on Notification.

    The first filter is that it is shown, which all in the index are. The newest come first; with `after`, a
    notification's id, what came later, the oldest first. No word in the question finds nothing.
    """
    words = asked_words(question)
    if not words:
        return []
    find_in = _in_postgresql if session.get_bind().dialect.name == "postgresql" else _in_sqlite
    return find_in(session, words, filters, limit, after)


def _in_sqlite(session: Session, words: Words, filters: Filters, limit: int, after: int | None) -> list[int]:
    asked = " AND ".join(_endings(session, word) if begins else f'"{word}"' for word, begins in words)
    match = literal_column("notification_words").op("MATCH")(bindparam("asked", asked))
    found = select(INDEX.c.rowid).join(Notification, Notification.id == INDEX.c.rowid).where(match, *filters)
    return list(session.scalars(_in_order(found, INDEX.c.rowid, after).limit(limit)))


def _endings(session: Session, start: str) -> str:
    """Return the start of a word as the whole words that there are, each of which FTS5 reads lazily.

    A short start has an index of its own; of a long one FTS5 would first gather every row there is.
    """
    found: list[str] = []
    at = start
    while len(start) > PREFIXES and len(found) <= MOST_ENDINGS:
        term = session.scalar(_TERM, {"start": at})
        if term is None or not term.startswith(start):
            return f"({' OR '.join(found)})" if found else f'"{start}"'
        found.append(f'"{term}"')
        at = f"{term}\x01"
    return f'"{start}"*'


def _in_postgresql(
    session: Session, words: Words, filters: Filters, limit: int, after: int | None
) -> list[int]:
    asked = bindparam(
        "asked", " & ".join(f"'{word}'{':*' if begins else ''}" for word, begins in words), type_=TSQUERY
    )
    nearest = NEAREST if len(filters) <= 1 else NEAREST_FILTERED
    near = _in_order(select(INDEX), INDEX.c.rowid, after).limit(nearest).subquery()
    found = select(near.c.rowid).join(Notification, Notification.id == near.c.rowid)
    found = found.where(near.c.words.op("@@")(asked), *filters)
    ids = list(session.scalars(_in_order(found, near.c.rowid, after).limit(limit)))
    if len(ids) == limit:
        return ids
    # The planner takes rare words for common ones: it would read every row, or walk along all the keys.
    session.execute(text("SET LOCAL enable_seqscan = off"))
    known = select(INDEX.c.rowid).where(INDEX.c.words.op("@@")(asked))
    hits = list(session.scalars(_in_order(known, INDEX.c.rowid + 0, after).limit(HITS)))
    return _passing(session, hits, filters, limit)


def _in_order(found: Select[Any], rowid: ColumnElement[int], after: int | None) -> Select[Any]:
    return found.order_by(rowid.desc()) if after is None else found.where(rowid > after).order_by(rowid)


def _passing(session: Session, hits: list[int], filters: Filters, limit: int) -> list[int]:
    """Return those of `hits`, in their order, that pass the filters; no more parts than it takes."""
    passed: list[int] = []
    for start in range(0, len(hits), PART):
        part = hits[start : start + PART]
        mine = Notification.id == any_(bindparam("part", part, type_=ARRAY(BigInteger)))
        found = set(session.scalars(select(Notification.id).where(mine, *filters)))
        passed += [number for number in part if number in found]
        if len(passed) >= limit:
            break
    return passed[:limit]
