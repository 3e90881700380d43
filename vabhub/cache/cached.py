"""The decorator `@cached`, for functions, coroutine functions and methods."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine, Iterable
from datetime import timedelta
from typing import Any, ParamSpec, Protocol, TypeVar, overload

from vabhub.cache.build import WAIT_S, Builder
from vabhub.cache.coroutine import AsyncCached
from vabhub.cache.counts import Counts
from vabhub.cache.entry import check_ttl
from vabhub.cache.keys import CallKey, join, prefix_of
from vabhub.cache.plain import Cached

P = ParamSpec("P")
T = TypeVar("T")


class _Decorator(Protocol):
    @overload
    def __call__(  # type: ignore[overload-overlap]  # a coroutine is a T too: the first that fits is meant
        self, function: Callable[P, Coroutine[Any, Any, T]], /
    ) -> AsyncCached[P, T]: ...
    @overload
    def __call__(self, function: Callable[P, T], /) -> Cached[P, T]: ...


def cached(
    ttl: float | timedelta = 300,
    key_prefix: str | None = None,
    key_func: Callable[..., str] | None = None,
    exclude_params: Iterable[str] | None = None,
    *,
    stale_if_error: float | timedelta = 0,
    wait: float | timedelta = WAIT_S,
    early: float = 1.0,
    shared: bool = False,
) -> _Decorator:
    """Keep a function's values for `ttl` seconds, in this process, in Redis and in the database.

    The key is `key_prefix` (by default the function's full name), the function's name and its arguments,
    bound by signature; or `key_prefix` and what `key_func(*args, **kwargs)` returns. `exclude_params` names
    arguments that do not change the value.
    With `stale_if_error` the last value is served for so many seconds past its end when the function raises;
    `lookup()` tells. `wait` is the longest that a caller waits for another one's build. `early` is the beta
    of XFetch (0: never early). `shared` hands the very same object to all callers, who must not change it;
    without it each caller gets an object of its own, unless nobody can change it.
    Raises ValueError for a TTL that is not above 0, and TypeError for an unknown name in `exclude_params`.
    """
    ttl_s = check_ttl(_seconds(ttl))

    def decorate(function: Callable[..., Any]) -> Any:
        name = f"{function.__module__}.{function.__qualname__}"
        prefix = name if key_prefix is None else key_prefix
        write = (
            _by_function(prefix, key_func) if key_func else _by_call(function, prefix, exclude_params or ())
        )
        builder = Builder(
            Counts(prefix_of(prefix)),
            ttl_s=ttl_s,
            stale_s=_seconds(stale_if_error),
            wait_s=_seconds(wait),
            early=early,
            shared=shared,
        )
        kind = AsyncCached if inspect.iscoroutinefunction(function) else Cached
        return kind(function, write, builder)

    return decorate


def _by_call(function: Callable[..., Any], prefix: str, exclude: Iterable[str]) -> CallKey:
    # Two functions may share a prefix, never a key.
    name = f"{function.__module__}.{function.__qualname__}"
    return CallKey(function, prefix if prefix == name else f"{prefix}:{name}", exclude)


def _by_function(prefix: str, key_func: Callable[..., str]) -> Callable[..., str]:
    return lambda args, kwargs: join(prefix, key_func(*args, **kwargs))


def _seconds(duration: float | timedelta) -> float:
    return duration.total_seconds() if isinstance(duration, timedelta) else float(duration)
