"""A web server shared by the tests of one module, on the Redis that all tests share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.live.browser_client import BrowserSide, dialling_from_chromium
from tests.live.server import WebServer, running
from tests.support.redis import RedisServer
from vabhub.redis_client import get_redis
from vabhub.settings import Settings

Dialled = WebServer | BrowserSide
# A quarter of these may be strangers.
LIMITS = {"VABHUB_MAX_SOCKETS": "24"}


@pytest.fixture(scope="module", params=["gevent", "gthread"])
def shared_server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, redis_server: RedisServer
) -> Iterator[WebServer]:
    """The same protocol on both kinds of gunicorn worker."""
    with running(
        tmp_path_factory.mktemp("web"), redis_server.url, *options(request.param), **LIMITS
    ) as server:
        yield server


@pytest.fixture
def server(shared_server: WebServer, settings: Settings) -> WebServer:
    """The shared server, with no stored values and nobody revoked."""
    forget_all()
    return shared_server


@pytest.fixture(scope="module", params=["gevent", "gthread", "chromium"])
def shared_dialler(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, redis_server: RedisServer
) -> Iterator[Dialled]:
    """A library of another make to both kinds of worker, and a real browser to the usual one."""
    kind = "gevent" if request.param == "chromium" else request.param
    with ExitStack() as stack:
        server = stack.enter_context(
            running(tmp_path_factory.mktemp("web"), redis_server.url, *options(kind), **LIMITS)
        )
        in_browser = request.param == "chromium"
        yield stack.enter_context(dialling_from_chromium(server)) if in_browser else server


@pytest.fixture
def dialler(shared_dialler: Dialled, settings: Settings) -> Dialled:
    """Opens sockets; with no stored values and nobody revoked."""
    forget_all()
    return shared_dialler


def options(kind: str) -> tuple[str, ...]:
    """Return gunicorn's options for a kind of worker; gevent's are those of the configuration file."""
    return ("-k", "gthread", "--threads", "40") if kind == "gthread" else ()


def forget_all() -> None:
    """Drop the stored values and the revocations."""
    for key in get_redis().scan_iter("vabhub:last:*"):
        get_redis().delete(key)
    get_redis().delete("test:revoked")
