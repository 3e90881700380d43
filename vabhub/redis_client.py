"""Connections to Redis: one pool a process, short time-outs, an error instead of a hang."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from vabhub.errors import Unavailable
from vabhub.settings import get_settings

CONNECT_TIMEOUT_S = 0.5
ANSWER_TIMEOUT_S = 0.5
# A cache that is slow is none: it may cost a request 50 ms at most.
CACHE_TIMEOUT_S = 0.045
PREFIX = "vabhub:"

_pools: dict[str, redis.Redis] = {}


def get_redis() -> redis.Redis:
    """Return the client for short questions. It answers in bytes, raises within 0.5 s, and never retries."""
    if "main" not in _pools:
        _pools["main"] = _client(get_settings().redis_url, answer_timeout_s=ANSWER_TIMEOUT_S)
    return _pools["main"]


def get_pubsub_redis() -> redis.Redis:
    """Return the client for listeners, whose reads may wait as long as nothing is published."""
    if "pubsub" not in _pools:
        _pools["pubsub"] = _client(get_settings().redis_url, answer_timeout_s=None)
    return _pools["pubsub"]


def new_pubsub_redis() -> redis.Redis:
    """Return a client for one listener, who closes it; close() does not."""
    return _client(get_settings().redis_url, answer_timeout_s=None)


def get_cache_redis() -> redis.Redis:
    """Return the client of the cache: it raises within 50 ms (a connection with TLS may take longer)."""
    if "cache" not in _pools:
        url = get_settings().redis_url
        connect_s = CONNECT_TIMEOUT_S if url.startswith("rediss:") else CACHE_TIMEOUT_S
        _pools["cache"] = _client(url, answer_timeout_s=CACHE_TIMEOUT_S, connect_timeout_s=connect_s)
    return _pools["cache"]


def get_queue_redis(*, answer_timeout_s: float) -> redis.Redis:
    """Return a client for the logical database that only Dramatiq uses: its maintenance runs KEYS."""
    return _client(next_database(get_settings().redis_url), answer_timeout_s=answer_timeout_s)


def close() -> None:
    """Close this process's connections; the next call opens new ones."""
    for client in _pools.values():
        client.close()
    _pools.clear()


@contextmanager
def unavailable_when_down() -> Iterator[None]:
    """Turn an outage of Redis into Unavailable, at the edges where Redis is a must."""
    try:
        yield
    except redis.RedisError as error:
        raise Unavailable("Redis does not answer.", retry_after_s=5) from error


def next_database(url: str) -> str:
    """Return the same server with the logical database after the one that `url` names.

    Works for `redis://host/0` (path) and `unix:///path?db=0` (query).
    """
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    if parts.scheme == "unix":
        query["db"] = str(int(query.get("db", "0")) + 1)
        return f"unix://{parts.netloc}{parts.path}?{urlencode(query)}"  # urlunsplit would drop the slashes
    number = query.pop("db", None) or parts.path.strip("/") or "0"
    return urlunsplit(parts._replace(path=f"/{int(number) + 1}", query=urlencode(query)))


def _client(
    url: str, *, answer_timeout_s: float | None, connect_timeout_s: float = CONNECT_TIMEOUT_S
) -> redis.Redis:
    return redis.Redis.from_url(
        url,
        socket_connect_timeout=connect_timeout_s,
        socket_timeout=answer_timeout_s,
        retry=Retry(NoBackoff(), 0),
        health_check_interval=30,
    )
