"""For the machine that runs VabHub: alive, ready, and numbers for Prometheus."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from functools import cache

import redis
from flask import Blueprint, Response, request
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from vabhub import __version__, migrate
from vabhub.accounts import Scope
from vabhub.errors import Forbidden, Unauthorized, Unavailable
from vabhub.redis_client import get_redis
from web import warm_up
from web.auth import identify
from web.endpoint import Access, page
from web.envelope import Answer, success

bp = Blueprint("ops", __name__)

# Whoever forwards a request says so; then the peer's address is the proxy's and proves nothing.
_FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP", "Via")


@page(bp, "/health", access=Access.OPEN)
@page(bp, "/healthz", access=Access.OPEN)
def health() -> Response:
    """Say that the process is up, whatever its surroundings."""
    return success(Answer({"status": "ok", "version": __version__}))


@page(bp, "/readyz", access=Access.OPEN)
def ready() -> Response:
    """Say whether requests can be served; 503 names what is missing."""
    missing = {name: fault for name, check in _CHECKS.items() if (fault := check())}
    if missing:
        text = f"Not ready: {', '.join(missing)}."
        raise Unavailable(text, retry_after_s=2, details={"missing": missing})
    return success(Answer({"status": "ready", "checks": dict.fromkeys(_CHECKS, "ok")}))


@page(bp, "/metrics", access=Access.OWN)
def prometheus() -> Response:
    """Return the metrics to this machine itself, or to a token that may read."""
    if not _is_local():
        principal = identify()
        if principal is None:
            raise Unauthorized("Metrics need a token when asked for from another machine.")
        if not principal.has(Scope.READ):
            raise Forbidden("This needs the scope 'read'.")
    return Response(generate_latest(), content_type=CONTENT_TYPE_LATEST)


def _is_local() -> bool:
    if any(name in request.headers for name in _FORWARDED):
        return False
    try:
        return ipaddress.ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        return False


def _database() -> str | None:
    try:
        migrate.current()
    except Unavailable:
        return "the database does not answer"
    return None


def _redis() -> str | None:
    try:
        get_redis().ping()
    except redis.RedisError:
        return "Redis does not answer"
    return None


def _migrations() -> str | None:
    try:
        current = migrate.current()
    except Unavailable:
        return "unknown while the database does not answer"
    if current == _newest():
        return None
    return f"the database is at {current or 'nothing'}, this version needs {_newest()}: run `vabhub migrate`"


@cache
def _newest() -> str:
    return migrate.newest()


def _cache() -> str | None:
    return warm_up.missing()


_CHECKS: dict[str, Callable[[], str | None]] = {
    "database": _database,
    "redis": _redis,
    "migrations": _migrations,
    "cache": _cache,
}
