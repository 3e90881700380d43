"""The database from outside: a log of every change of state by trigger, and plain questions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Engine, NullPool, create_engine, event, text

# Every change of a delivery's state or epoch leaves a row here, whoever made it.
_LOG_TABLE = """
CREATE TABLE chaos_log (
  number {serial}, delivery_id BIGINT, old_state TEXT, new_state TEXT, old_epoch INTEGER, new_epoch INTEGER
)
"""
_COLUMNS = "(delivery_id, old_state, new_state, old_epoch, new_epoch)"
_SQLITE = (
    f"""CREATE TRIGGER chaos_update AFTER UPDATE ON delivery
    WHEN OLD.state <> NEW.state OR OLD.epoch <> NEW.epoch
    BEGIN
      INSERT INTO chaos_log {_COLUMNS} VALUES (NEW.id, OLD.state, NEW.state, OLD.epoch, NEW.epoch);
    END""",
    f"""CREATE TRIGGER chaos_insert AFTER INSERT ON delivery
    BEGIN INSERT INTO chaos_log {_COLUMNS} VALUES (NEW.id, NULL, NEW.state, NULL, NEW.epoch); END""",
    f"""CREATE TRIGGER chaos_delete AFTER DELETE ON delivery
    BEGIN INSERT INTO chaos_log {_COLUMNS} VALUES (OLD.id, OLD.state, NULL, OLD.epoch, NULL); END""",
)
_POSTGRESQL = (
    f"""CREATE FUNCTION chaos_note() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF TG_OP = 'INSERT' THEN
        INSERT INTO chaos_log {_COLUMNS} VALUES (NEW.id, NULL, NEW.state, NULL, NEW.epoch);
      ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO chaos_log {_COLUMNS} VALUES (OLD.id, OLD.state, NULL, OLD.epoch, NULL);
      ELSIF OLD.state <> NEW.state OR OLD.epoch <> NEW.epoch THEN
        INSERT INTO chaos_log {_COLUMNS} VALUES (NEW.id, OLD.state, NEW.state, OLD.epoch, NEW.epoch);
      END IF;
      RETURN NULL;
    END $$""",
    """CREATE TRIGGER chaos_note AFTER INSERT OR UPDATE OR DELETE ON delivery
    FOR EACH ROW EXECUTE FUNCTION chaos_note()""",
)

UNFINISHED = "state NOT IN ('delivered', 'dead', 'cancelled')"


class Database:
    """Asks without a pool, so that a stopped or full database costs nothing here afterwards."""

    def __init__(self, url: str) -> None:
        self.is_sqlite = url.startswith("sqlite")
        self._engine: Engine = create_engine(url, poolclass=NullPool)
        if self.is_sqlite:
            event.listen(self._engine, "connect", _patient)

    def watch(self) -> None:
        """Log every change of state from now on."""
        serial = "INTEGER PRIMARY KEY" if self.is_sqlite else "BIGSERIAL PRIMARY KEY"
        self.execute(_LOG_TABLE.format(serial=serial), *(_SQLITE if self.is_sqlite else _POSTGRESQL))

    def execute(self, *statements: str) -> None:
        """Run statements in one transaction."""
        with self._engine.begin() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)

    def rows(self, query: str, **parameters: Any) -> Sequence[Any]:
        """Return all rows of a query."""
        with self._engine.connect() as connection:
            return connection.execute(text(query), parameters).all()

    def number(self, query: str, **parameters: Any) -> Any:
        """Return the one value of a query."""
        return self.rows(query, **parameters)[0][0]

    def unfinished(self) -> int:
        """Return how many deliveries have not come to an end."""
        return int(self.number(f"SELECT count(*) FROM delivery WHERE {UNFINISHED}"))


def _patient(connection: Any, _record: Any) -> None:
    connection.execute("PRAGMA busy_timeout=10000")
