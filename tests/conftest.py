"""Fixtures for all tests: real Redis and databases, a provider on loopback, settings of their own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.postgres import PostgresServer
from tests.support.redis import RedisServer
from tests.support.sink import Sink
from vabhub import broker, clock, db, migrate, queues, redis_client
from vabhub import settings as settings_module
from vabhub.cache import use_store
from vabhub.settings import VARIABLES, Settings, load_settings, use_settings

# A skip that is not on this list fails the run: (part of the test's id, reason).
EXPECTED_SKIPS: tuple[tuple[str, str], ...] = ()


@pytest.fixture(autouse=True, scope="session")
def _clean_environment() -> None:
    """Let no setting of the person who runs the tests reach them."""
    for variable in VARIABLES:
        os.environ.pop(variable, None)
        os.environ.pop(f"{variable}_FILE", None)
    os.environ.pop("DYNO", None)
    os.environ["VABHUB_ENV_FILE"] = os.devnull


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """The Redis that tests share; those that stop or freeze one start their own."""
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.remove()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """The PostgreSQL cluster that tests share."""
    server = PostgresServer()
    server.start()
    yield server
    server.remove()


@pytest.fixture(scope="session")
def postgres_template(postgres_server: PostgresServer) -> str:
    """The name of a migrated, empty database to copy."""
    url = postgres_server.create()
    _migrate(load_settings({"DATABASE_URL": url, "SECRET_KEY": "template" * 4}))
    return url.rpartition("/")[2]


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bytes of a migrated, empty database to copy."""
    directory = tmp_path_factory.mktemp("sqlite")
    _migrate(load_settings({"VABHUB_DATA_DIR": str(directory)}))
    return (directory / "vabhub.db").read_bytes()


@pytest.fixture
def settings(tmp_path: Path, redis_server: RedisServer) -> Iterator[Settings]:
    """Settings with a fresh data directory and the shared Redis, emptied."""
    made = load_settings({"VABHUB_DATA_DIR": str(tmp_path / "data"), "REDIS_URL": redis_server.url})
    yield from _in_use(made)


@pytest.fixture
def redis(settings: Settings) -> Iterator[None]:
    """The shared Redis, empty."""
    redis_client.get_redis().flushall()
    use_store(None)
    yield
    redis_client.get_redis().flushall()


@pytest.fixture
def sqlite(settings: Settings, sqlite_template: bytes) -> Settings:
    """A migrated, empty SQLite database."""
    (settings.data_dir / "vabhub.db").write_bytes(sqlite_template)
    return settings


@pytest.fixture
def postgresql(
    settings: Settings, postgres_server: PostgresServer, postgres_template: str
) -> Iterator[Settings]:
    """A migrated, empty PostgreSQL database."""
    url = postgres_server.create(template=postgres_template)
    sqlalchemy_url = url.replace("postgresql://", "postgresql+psycopg://")
    yield from _in_use(settings.model_copy(update={"database_url": sqlalchemy_url}))
    postgres_server.drop(url)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def database(request: pytest.FixtureRequest) -> Settings:
    """A migrated, empty database, once on SQLite and once on PostgreSQL."""
    made: Settings = request.getfixturevalue(request.param)
    return made


@pytest.fixture
def sink() -> Iterator[Sink]:
    """A provider on loopback that records what it is sent."""
    server = Sink().start()
    yield server
    server.stop()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Fail a skip that nobody expects: nothing is left out in silence."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        if not any(part in item.nodeid and why in reason for part, why in EXPECTED_SKIPS):
            report.outcome = "failed"
            report.longrepr = f"unexpected skip: {reason}"
    return report


def _in_use(made: Settings) -> Iterator[Settings]:
    _forget_connections()
    use_settings(made)
    yield made
    _forget_connections()
    use_settings(None)
    assert clock._now is clock._system_now, "a test left a frozen clock behind"


def _forget_connections() -> None:
    use_store(None)
    db.dispose()
    queues.reset()
    broker.reset_broker()
    redis_client.close()


def _migrate(made: Settings) -> None:
    # A template is made in the middle of the first test that wants it: its settings come back afterwards.
    before = settings_module._settings
    db.dispose()
    use_settings(made)
    migrate.upgrade()
    db.dispose()
    use_settings(before)
