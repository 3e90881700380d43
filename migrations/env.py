"""Alembic's entry: migrate the database of the settings, on a connection that the caller may pass in."""

from alembic import context
from sqlalchemy import Connection

from vabhub.db import get_engine
from vabhub.migrate import is_described
from vabhub.models import Base


def run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=True,
        transactional_ddl=True,
        compare_type=True,
        include_name=is_described,
    )
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    with get_engine().begin() as opened:
        run(opened)
