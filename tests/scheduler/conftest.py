"""A Redis that a test may stop."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.redis import RedisServer
from vabhub import redis_client
from vabhub.settings import load_settings, use_settings


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path / "redis")
    server.start()
    redis_client.close()
    use_settings(load_settings({"VABHUB_DATA_DIR": str(tmp_path / "data"), "REDIS_URL": server.url}))
    yield server
    redis_client.close()
    use_settings(None)
    server.remove()
