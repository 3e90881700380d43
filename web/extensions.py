"""Flask extensions: the response cache, on Redis and in JSON."""

from __future__ import annotations

import json
from typing import Any

from flask import Flask
from flask_caching import Cache
from flask_caching.backends.rediscache import RedisCache

from vabhub.log import get_logger
from vabhub.redis_client import PREFIX, get_redis

log = get_logger(__name__)

cache = Cache(with_jinja2_ext=False)


class JsonSerializer:
    """Values as JSON. Flask-Caching's own pickles: whoever can write that Redis could run code here."""

    def dumps(self, value: Any) -> bytes:
        """Write a value; raises TypeError or ValueError for what has no JSON form."""
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()

    def loads(self, raw: bytes | None) -> Any:
        """Read a value; bytes that are no JSON count as absent."""
        if raw is None:
            return None
        try:
            return json.loads(raw)
        except (ValueError, RecursionError):
            log.warning("cache.corrupt", size_bytes=len(raw))
            return None


class JsonRedisCache(RedisCache):
    """Flask-Caching's Redis backend with our own pool and without pickle."""

    serializer = JsonSerializer()  # type: ignore[assignment]

    @classmethod
    def factory(
        cls, _app: Flask, config: dict[str, Any], args: list[Any], kwargs: dict[str, Any]
    ) -> JsonRedisCache:
        """Make the backend as Flask-Caching asks for it."""
        own = {"host": get_redis(), "key_prefix": config["CACHE_KEY_PREFIX"]}
        return cls(*args, **{**kwargs, **own})


def init_app(app: Flask) -> None:
    """Set the extensions up for this application."""
    config = {"CACHE_TYPE": "web.extensions.JsonRedisCache", "CACHE_KEY_PREFIX": f"{PREFIX}cache:"}
    cache.init_app(app, config=config)


def backend(app: Flask) -> JsonRedisCache:
    """Return this application's cache; usable from any thread."""
    found: JsonRedisCache = app.extensions["cache"][cache]
    return found
