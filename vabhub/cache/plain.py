"""A cached function."""

from __future__ import annotations

import functools
import threading
from typing import Any, Concatenate, Generic, ParamSpec, Self, TypeVar, cast, overload

from vabhub.cache.build import Landed, Plan, Served
from vabhub.cache.call import Bound, CachedCall
from vabhub.cache.flights import Abandoned
from vabhub.cache.tiers import Tiers

P = ParamSpec("P")
Q = ParamSpec("Q")
T = TypeVar("T")
S = TypeVar("S")


class Cached(CachedCall[P], Generic[P, T]):
    """A function whose values are kept in the tiers."""

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> T:
        """Return the cached value, or call the function."""
        slot = self._near(args, kwargs)
        if slot is not None:
            value: T = slot.value if slot.packed is None else slot.read()
            return value
        tiers, key = self._tiers(), self._key_of(args, kwargs)
        served = self._serve(tiers, key, args, kwargs)
        return cast(T, served.value)

    def lookup(self, *args: P.args, **kwargs: P.kwargs) -> Served:
        """Return the value with what `meta` says of it: hit, miss or stale, its age, the error."""
        return self._serve(self._tiers(), self._key_of(args, kwargs), args, kwargs)

    def refresh(self, *args: P.args, **kwargs: P.kwargs) -> T:
        """Call the function now and keep its value for every process."""
        tiers, key = self._tiers(), self._write(args, kwargs)
        plan = self._builder.begin(tiers, key)
        return cast(T, self._build(tiers, plan, args, kwargs, renewed=True).served.value)

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(
        self: Cached[Concatenate[S, Q], T], instance: S, owner: type | None = None
    ) -> Bound[Q, T, Served]: ...
    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        """Return the method of this object; `obj.method.invalidate(1)` knows `obj`."""
        return self if instance is None else Bound(self, instance)

    def _serve(self, tiers: Tiers, key: str, args: Any, kwargs: Any) -> Served:
        found = self._builder.near(tiers, key)
        if found is not None:
            self._renew_early(tiers, key, args, kwargs)
            return found
        while True:
            flight, mine = self._builder.flights.board(key)
            if mine:
                return self._fly(tiers, key, args, kwargs)
            try:
                return self._builder.wait(tiers, key, flight)
            except Abandoned:
                continue

    def _fly(self, tiers: Tiers, key: str, args: Any, kwargs: Any) -> Served:
        with self._builder.flights.landing(key) as landing:
            plan = self._builder.prepare(tiers, key)
            if isinstance(plan, Served):
                landing.result = Landed(plan)
            else:
                landing.result = self._build(tiers, plan, args, kwargs)
        return landing.result.served

    def _build(self, tiers: Tiers, plan: Plan, args: Any, kwargs: Any, *, renewed: bool = False) -> Landed:
        try:
            value = self._function(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 (it is raised again, or told in `meta`)
            return Landed(self._builder.fail(tiers, plan, error))
        except BaseException:
            self._builder.abandon(tiers, plan)
            raise
        return self._builder.finish(tiers, plan, value, renewed=renewed)

    def _renew_early(self, tiers: Tiers, key: str, args: Any, kwargs: Any) -> None:
        plan = self._builder.begin_early(tiers, key)
        if plan is not None:
            run = functools.partial(self._renew, tiers, plan, args, kwargs)
            threading.Thread(target=run, name="cache-early", daemon=True).start()

    def _renew(self, tiers: Tiers, plan: Plan, args: Any, kwargs: Any) -> None:
        with self._builder.flights.landing(plan.key, quiet=True) as landing:
            landing.result = self._build(tiers, plan, args, kwargs, renewed=True)
