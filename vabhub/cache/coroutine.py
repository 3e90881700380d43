"""A cached coroutine function. Redis and the database are asked outside the event loop's thread."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, Concatenate, Generic, ParamSpec, Self, TypeVar, cast, overload

from vabhub.cache.build import Landed, Plan, Served
from vabhub.cache.call import Bound, CachedCall
from vabhub.cache.flights import Abandoned
from vabhub.cache.tiers import Tiers

P = ParamSpec("P")
Q = ParamSpec("Q")
T = TypeVar("T")
S = TypeVar("S")


class AsyncCached(CachedCall[P], Generic[P, T]):
    """A coroutine function whose values are kept in the tiers. `invalidate` and `key` are not awaited."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._tasks: set[asyncio.Task[None]] = set()
        _mark_coroutine_function(self)

    async def __call__(self, *args: P.args, **kwargs: P.kwargs) -> T:
        """Return the cached value, or await the function."""
        slot = self._near(args, kwargs)
        if slot is not None:
            value: T = slot.value if slot.packed is None else slot.read()
            return value
        tiers, key = self._tiers(), self._key_of(args, kwargs)
        served = await self._serve(tiers, key, args, kwargs)
        return cast(T, served.value)

    async def lookup(self, *args: P.args, **kwargs: P.kwargs) -> Served:
        """Return the value with what `meta` says of it: hit, miss or stale, its age, the error."""
        return await self._serve(self._tiers(), self._key_of(args, kwargs), args, kwargs)

    async def refresh(self, *args: P.args, **kwargs: P.kwargs) -> T:
        """Await the function now and keep its value for every process."""
        tiers, key = self._tiers(), self._write(args, kwargs)
        plan = await asyncio.to_thread(self._builder.begin, tiers, key)
        return cast(T, (await self._build(tiers, plan, args, kwargs, renewed=True)).served.value)

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(
        self: AsyncCached[Concatenate[S, Q], T], instance: S, owner: type | None = None
    ) -> Bound[Q, Coroutine[Any, Any, T], Coroutine[Any, Any, Served]]: ...
    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        """Return the method of this object; `obj.method.invalidate(1)` knows `obj`."""
        return self if instance is None else Bound(self, instance)

    async def _serve(self, tiers: Tiers, key: str, args: Any, kwargs: Any) -> Served:
        found = self._builder.near(tiers, key)
        if found is not None:
            await self._renew_early(tiers, key, args, kwargs)
            return found
        while True:
            flight, mine = self._builder.flights.board(key)
            if mine:
                return await self._fly(tiers, key, args, kwargs)
            try:
                return await self._wait(tiers, key, flight)
            except Abandoned:
                continue

    async def _wait(self, tiers: Tiers, key: str, flight: Future[Landed]) -> Served:
        waiting = asyncio.wrap_future(flight)
        waiting.add_done_callback(lambda it: it.cancelled() or it.exception())  # it is read from `flight`
        # `wait` does not cancel what it waited for: the build is everybody's.
        done, _ = await asyncio.wait({waiting}, timeout=self._builder.wait_s)
        return self._builder.landed(tiers, key, flight if done else None)

    async def _fly(self, tiers: Tiers, key: str, args: Any, kwargs: Any) -> Served:
        with self._builder.flights.landing(key) as landing:
            plan = await asyncio.to_thread(self._builder.prepare, tiers, key)
            if isinstance(plan, Served):
                landing.result = Landed(plan)
            else:
                landing.result = await self._build(tiers, plan, args, kwargs)
        return landing.result.served

    async def _build(
        self, tiers: Tiers, plan: Plan, args: Any, kwargs: Any, *, renewed: bool = False
    ) -> Landed:
        try:
            value = await self._function(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 (it is raised again, or told in `meta`)
            return Landed(await asyncio.to_thread(self._builder.fail, tiers, plan, error))
        except BaseException:
            self._builder.abandon(tiers, plan)
            raise
        return await asyncio.to_thread(self._builder.finish, tiers, plan, value, renewed=renewed)

    async def _renew_early(self, tiers: Tiers, key: str, args: Any, kwargs: Any) -> None:
        if not self._builder.may_be_early(tiers, key):
            return
        plan = await asyncio.to_thread(self._builder.begin_early, tiers, key)
        if plan is not None:
            task = asyncio.create_task(self._renew(tiers, plan, args, kwargs))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _renew(self, tiers: Tiers, plan: Plan, args: Any, kwargs: Any) -> None:
        with self._builder.flights.landing(plan.key, quiet=True) as landing:
            landing.result = await self._build(tiers, plan, args, kwargs, renewed=True)


def _mark_coroutine_function(call: Any) -> None:
    mark = getattr(inspect, "markcoroutinefunction", None)
    if mark is not None:
        mark(call)
    else:  # Python 3.11 knows only its own mark
        call._is_coroutine = asyncio.coroutines._is_coroutine  # type: ignore[attr-defined]
