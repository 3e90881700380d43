"""Builds the dashboard's values when the process starts; until that is done, /readyz says so."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

from flask import Flask, current_app

from vabhub.cache.warm import Warmed, warm
from web.dashboard_data import VIEWS, dashboard_payload

# A source that has not answered by then is not waited for: the process serves what it knows.
WITHIN_S = 10.0
_EXTENSION = "vabhub_warm_up"


class WarmUp:
    """How far the first warming is."""

    def __init__(self, steps: int) -> None:
        self.steps = steps
        self.done: list[Warmed] = []

    @property
    def missing(self) -> str | None:
        """What /readyz says, None once all is built."""
        left = len(self.done) < self.steps
        return f"being warmed, {len(self.done)} of {self.steps}" if left else None


def start(app: Flask) -> None:
    """Begin to build in the background."""
    state = app.extensions[_EXTENSION] = WarmUp(len(VIEWS))

    def run() -> None:
        with app.app_context():
            warm(_steps(), state.done.append)

    threading.Thread(target=run, name="warm-up", daemon=True).start()


def missing() -> str | None:
    """Return what is still to be built, None when all is or nobody wanted it."""
    state: WarmUp | None = current_app.extensions.get(_EXTENSION)
    return state.missing if state is not None else None


def warm_now() -> list[Warmed]:
    """Build what is not fresh, and return what it came to."""
    return warm(_steps())


def _steps() -> Iterator[tuple[str, Callable[[], str]]]:
    # The overview last: it is made of the others.
    for name in sorted(VIEWS, key=lambda name: name == "dashboard"):
        yield name, lambda name=name: _built(name)  # type: ignore[misc]


def _built(name: str) -> str:
    deadline = time.monotonic() + WITHIN_S
    while True:
        _, meta = dashboard_payload(name)
        if meta.get("error_code") != "TIMEOUT" or time.monotonic() > deadline:
            return str(meta["cache"])
        time.sleep(0.05)
