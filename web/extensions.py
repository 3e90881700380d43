"""Flask extensions: Flask-Caching on the same three tiers that the domain's `@cached` uses."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Flask, Response
from flask_caching import Cache
from flask_caching.backends.base import BaseCache

from vabhub.cache import Tiers, Unserialisable, store
from vabhub.cache.keys import SEPARATOR, join
from vabhub.log import get_logger

log = get_logger(__name__)

# The prefix of what Flask-Caching keeps by itself: whole answers, by their path.
PREFIX = "view"
_RESPONSE = "\x00response"

cache = Cache(with_jinja2_ext=False)


class TiersCache(BaseCache):
    """Flask-Caching's backend: the process's one store.

    A timeout that is not above 0 raises ValueError; elsewhere 0 means for ever.
    """

    @classmethod
    def factory(
        cls, _app: Flask, config: dict[str, Any], args: list[Any], kwargs: dict[str, Any]
    ) -> TiersCache:
        """Make the backend as Flask-Caching asks for it."""
        return cls(config["CACHE_DEFAULT_TIMEOUT"])

    def __init__(self, default_timeout_s: int = 300) -> None:
        super().__init__(default_timeout=default_timeout_s)

    @property
    def tiers(self) -> Tiers:
        """The store of this process."""
        return store()

    def get(self, key: str) -> Any:
        """Return the value, None when there is none."""
        entry, counts = self.tiers.get(_named(key)), self.tiers.stats.of(_named(key))
        if entry is None:
            counts.misses += 1
            return None
        counts.memory_hits += 1
        return _from_plain(entry.value)

    def set(self, key: str, value: Any, timeout: float | timedelta | None = None) -> bool:
        """Keep the value; False for one that has no safe form, which is written down."""
        name = _named(key)
        try:
            return self.tiers.set(name, _to_plain(value), self._seconds(timeout))
        except Unserialisable as error:
            self.tiers.stats.of(name).unserialisable += 1
            log.error("cache.unserialisable", key=name, error=str(error))  # noqa: TRY400 (it says all)
            return False

    def add(self, key: str, value: Any, timeout: float | timedelta | None = None) -> bool:
        """Keep the value unless there is one."""
        return not self.has(key) and self.set(key, value, timeout)

    def has(self, key: str) -> bool:
        """Return whether there is a value."""
        return self.tiers.get(_named(key)) is not None

    def delete(self, key: str) -> bool:
        """Invalidate the key in every process; return whether it was known."""
        self.tiers.stats.invalidated(_named(key))
        return self.tiers.delete(_named(key)) > 0

    def clear(self) -> bool:
        """Invalidate what Flask-Caching keeps by itself, and nothing of the domain's."""
        self.tiers.delete_prefix(PREFIX + SEPARATOR)
        return True

    def _seconds(self, timeout: float | timedelta | None) -> float:
        if isinstance(timeout, timedelta):
            return timeout.total_seconds()
        return float(self.default_timeout if timeout is None else timeout)


def init_app(app: Flask) -> None:
    """Set the extensions up for this application."""
    cache.init_app(app, config={"CACHE_TYPE": "web.extensions.TiersCache", "CACHE_DEFAULT_TIMEOUT": 300})


def backend(app: Flask) -> TiersCache:
    """Return this application's cache; usable from any thread."""
    found: TiersCache = app.extensions["cache"][cache]
    return found


def _named(key: str) -> str:
    return join(*key.split(SEPARATOR, 1)) if SEPARATOR in key else join(PREFIX, key)


def _to_plain(value: Any) -> Any:
    if not isinstance(value, Response):
        return value
    return {_RESPONSE: [value.status_code, list(value.headers), value.get_data()]}


def _from_plain(value: Any) -> Any:
    if not isinstance(value, dict) or _RESPONSE not in value:
        return value
    status, headers, body = value[_RESPONSE]
    return Response(body, status=status, headers=headers)
