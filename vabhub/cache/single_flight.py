"""Compute a value once, however many ask for it at the same time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class _Flight(Generic[T]):
    def __init__(self) -> None:
        self.landed = threading.Event()
        self.value: T | None = None


class SingleFlight(Generic[T]):
    """Runs at most one build a key at a time, on a thread of its own.

    A caller waits for it no longer than it wants to; the build goes on without it. A `build` must not raise:
    its value says how it went.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._flights: dict[str, _Flight[T]] = {}

    def run(self, key: str, build: Callable[[], T], *, wait_s: float) -> T | None:
        """Return what `build` returned, to every caller who waited for it; None when it takes longer."""
        with self._lock:
            flight = self._flights.get(key)
            if flight is None:
                flight = self._flights[key] = _Flight()
                threading.Thread(target=self._fly, args=(key, build, flight), daemon=True).start()
        flight.landed.wait(wait_s)
        return flight.value

    def _fly(self, key: str, build: Callable[[], T], flight: _Flight[T]) -> None:
        try:
            flight.value = build()
        finally:
            with self._lock:
                del self._flights[key]
            flight.landed.set()
