"""A web server shared by the tests of one module, on the Redis that all tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.live.server import WebServer, running
from tests.support.redis import RedisServer
from vabhub.redis_client import get_redis
from vabhub.settings import Settings


@pytest.fixture(scope="module", params=["gevent", "gthread"])
def shared_server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, redis_server: RedisServer
) -> Iterator[WebServer]:
    """The same protocol on both kinds of gunicorn worker."""
    options = ("-k", request.param, "--threads", "40")
    with running(tmp_path_factory.mktemp("web"), redis_server.url, *options) as server:
        yield server


@pytest.fixture
def server(shared_server: WebServer, settings: Settings) -> WebServer:
    """The shared server, with no stored values and nobody revoked."""
    for key in get_redis().scan_iter("vabhub:last:*"):
        get_redis().delete(key)
    get_redis().delete("test:revoked")
    return shared_server
