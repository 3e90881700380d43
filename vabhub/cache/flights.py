"""One build of a key at a time in a process: the first caller builds, the others wait for its future."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Generic, TypeVar

from vabhub.log import get_logger

log = get_logger(__name__)

T = TypeVar("T")


class Abandoned(Exception):
    """The one who built went away without a value, as a cancelled task does: somebody else has to."""


class Landing(Generic[T]):
    """What the build of one flight came to."""

    result: T


class Flights(Generic[T]):
    """The builds that are under way."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._flights: dict[str, Future[T]] = {}

    def board(self, key: str) -> tuple[Future[T], bool]:
        """Return the key's flight, and whether the caller is to build and to `land` it."""
        with self._lock:
            flight = self._flights.get(key)
            if flight is not None:
                return flight, False
            flight = self._flights[key] = Future()
            return flight, True

    def land(self, key: str, result: T) -> None:
        """End the flight with a value for all who wait."""
        self._gone(key).set_result(result)

    def fail(self, key: str, error: BaseException) -> None:
        """End the flight with an error for all who wait."""
        self._gone(key).set_exception(error)

    @contextmanager
    def landing(self, key: str, *, quiet: bool = False) -> Iterator[Landing[T]]:
        """Land the flight with what the block leaves in `result`, or with its error.

        `quiet`: nobody waits for this block, so its error is written down instead of raised.
        """
        landing: Landing[T] = Landing()
        try:
            yield landing
        except Exception as error:
            self.fail(key, error)
            if not quiet:
                raise
            log.warning("cache.early_build_failed", key=key, reason=f"{type(error).__name__}: {error}"[:300])
        except BaseException:
            self.fail(key, Abandoned())
            raise
        else:
            self.land(key, landing.result)

    def _gone(self, key: str) -> Future[T]:
        with self._lock:
            return self._flights.pop(key)
