"""Fills an installation's database with a great many notifications, in bulk, past the domain."""

from __future__ import annotations

import random
import sqlite3
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

from tests.bench.place import Place, using
from tests.chaos.database import Database
from vabhub import db
from vabhub.models import UtcDateTime
from vabhub.notify import search_index

DAYS = 90
UNREAD = 500
RARE_EVERY = 50_000
CHANNELS = ("system", "chan1", "chan2", "chan3", "chan4")
_WORDS = (
    *("series", "movie", "episode", "season", "download", "finished", "library", "moved", "quality", "track"),
    *("album", "artist", "disk", "server", "backup", "update", "failed", "restored", "imported", "queue"),
    *("torrent", "seeding", "complete", "metadata", "scan", "folder", "user", "subtitle"),
)
_CHINESE = (
    "下载完成",
    "剧集已更新",
    "磁盘空间不足",
    "电影已入库",
    "字幕下载失败",
    "备份完成",
    "正在做种",
    "音乐扫描完成",
)
_TEXTS = random.Random(7)
_MESSAGES = [" ".join(_TEXTS.choices(_WORDS, k=24)) for _ in range(4000)]
_MESSAGES += ["，".join(_TEXTS.choices(_CHINESE, k=5)) for _ in range(1000)]
_TITLES = [" ".join(_TEXTS.choices(_WORDS, k=4)) for _ in range(5000)]
_TYPES = (("info",) * 12) + (("success",) * 5) + (("warning",) * 2) + ("error",)
_STATUSES = (("sent",) * 96) + (("failed",) * 3) + ("partial",)
_STATES = {"sent": "delivered", "failed": "dead", "partial": "delivered"}

_COLUMNS = {
    "notification": "id source request_hash title message type priority status created_at updated_at "
    "inbox_at read_at",
    "delivery": "id webhook_id notification_id channel state priority next_attempt_at attempts crashes epoch "
    "cancel_requested created_at finished_at",
    "attempt": "delivery_id epoch started_at finished_at outcome provider_status text next_state",
}
_SERIAL = ("notification", "delivery", "attempt")
Rows = tuple[tuple[Any, ...], tuple[Any, ...], tuple[Any, ...]]


def fill(place: Place, number: int) -> tuple[float, float]:
    """Insert that many, each with a delivery and an attempt; return the seconds, and those of the index."""
    began = time.monotonic()
    if place.database.is_sqlite:
        _fill_sqlite(place, number)
    else:
        _fill_postgresql(place, number)
    filled = time.monotonic()
    with using(place), db.get_engine().begin() as connection:
        search_index.drop(connection)
        search_index.build(connection)
    _settle(place)
    return filled - began, time.monotonic() - filled


def make_due(database: Database, number: int) -> None:
    """Let the newest deliveries wait, due and without a hint, whatever they were."""
    chosen = f"id IN (SELECT id FROM delivery WHERE state <> 'pending' ORDER BY id DESC LIMIT {number})"
    database.execute(
        f"UPDATE delivery SET state = 'pending', hint_at = NULL, next_attempt_at = created_at WHERE {chosen}"
    )


def age(database: Database, number: int) -> None:
    """Let the oldest that are left be far beyond the retention."""
    long_ago = _stored(datetime.now(UTC) - timedelta(days=40_000), sqlite=database.is_sqlite)
    chosen = f"SELECT id FROM notification WHERE created_at > '{long_ago}' ORDER BY id LIMIT {number}"
    database.execute(f"UPDATE notification SET created_at = '{long_ago}' WHERE id IN ({chosen})")


def size_mb(place: Place) -> float:
    """Return how large the database is."""
    if place.database.is_sqlite:
        return (place.data_dir / "vabhub.db").stat().st_size / 2**20
    return float(place.database.number("SELECT pg_database_size(current_database())")) / 2**20


def _fill_sqlite(place: Place, number: int) -> None:
    connection = sqlite3.connect(place.data_dir / "vabhub.db", isolation_level=None)
    connection.execute("PRAGMA synchronous=OFF")
    connection.execute("PRAGMA cache_size=-400000")
    connection.execute("BEGIN IMMEDIATE")
    for part in _parts(number, sqlite=True):
        for table, rows in zip(_SERIAL, zip(*part, strict=True), strict=True):
            columns = _COLUMNS[table].split()
            marks = ", ".join("?" * len(columns))
            connection.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", rows)
    connection.execute("COMMIT")
    connection.close()


def _fill_postgresql(place: Place, number: int) -> None:
    with psycopg.connect(place.env["DATABASE_URL"]) as connection:
        for part in _parts(number, sqlite=False):
            for table, rows in zip(_SERIAL, zip(*part, strict=True), strict=True):
                _copy(connection, table, rows)
        for table in _SERIAL:
            number = f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}"
            connection.execute(number.encode())


def _settle(place: Place) -> None:
    """Leave the database as it is after a quiet night."""
    if place.database.is_sqlite:
        place.database.rows("PRAGMA wal_checkpoint(TRUNCATE)")
        return
    with psycopg.connect(place.env["DATABASE_URL"], autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")


def _copy(connection: psycopg.Connection[Any], table: str, rows: Any) -> None:
    columns = ", ".join(_COLUMNS[table].split())
    with connection.cursor().copy(f"COPY {table} ({columns}) FROM STDIN".encode()) as copy:
        for row in rows:
            copy.write_row(row)


def _parts(number: int, *, sqlite: bool, size: int = 20_000) -> Iterator[list[Rows]]:
    chance = random.Random(11)
    began = datetime.now(UTC) - timedelta(days=DAYS)
    for start in range(1, number + 1, size):
        ids = range(start, min(start + size, number + 1))
        yield [_rows(one, number, began, chance, sqlite=sqlite) for one in ids]


def _rows(number: int, last: int, began: datetime, chance: random.Random, *, sqlite: bool) -> Rows:
    at = _stored(began + timedelta(days=DAYS) * ((number - 1) / last), sqlite=sqlite)
    status, channel = chance.choice(_STATUSES), chance.choice(CHANNELS)
    inbox_at = at if channel == "system" else None
    read_at = at if inbox_at and number <= last - UNREAD * len(CHANNELS) else None
    message, title = chance.choice(_MESSAGES), chance.choice(_TITLES)
    if number % RARE_EVERY == 1:
        message += " zanzibar 流浪地球"
    kind, priority = chance.choice(_TYPES), "normal"
    told = (number, "bench", "0" * 64, title, message, kind, priority, status, at, at, inbox_at, read_at)
    sent = (number, f"msg_{number}", number, channel, _STATES[status], 2, at, 1, 0, 1, False, at, at)
    return told, sent, (number, 1, at, at, "ok", 200, "ok", _STATES[status])


def _stored(moment: datetime, *, sqlite: bool) -> str:
    if not sqlite:
        return moment.isoformat()
    from sqlalchemy.dialects import sqlite as dialect

    stored = UtcDateTime().process_bind_param(moment, dialect.dialect())
    return stored.strftime("%Y-%m-%d %H:%M:%S.%f") if isinstance(stored, datetime) else str(stored)
