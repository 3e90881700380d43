"""Builds what will be asked for first before anybody does, one after another, and says how far it is."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from vabhub.log import get_logger

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Warmed:
    """What one step came to: its own word for it (hit, miss, stale …), and how long it took."""

    name: str
    result: str
    took_ms: float


def warm(
    steps: Iterable[tuple[str, Callable[[], str]]], on_step: Callable[[Warmed], object] = lambda _: None
) -> list[Warmed]:
    """Run every step; one that fails is written down and the others go on."""
    chosen, done = list(steps), []
    for number, (name, run) in enumerate(chosen, 1):
        began = time.perf_counter()
        try:
            result = run()
        except Exception as error:  # the edge: a source that is away must not keep the others cold
            log.exception("cache.warm_step_failed", step=name)
            result = type(error).__name__
        step = Warmed(name, result, round((time.perf_counter() - began) * 1000, 1))
        log.info("cache.warmed", step=name, result=result, ms=step.took_ms, done=f"{number}/{len(chosen)}")
        done.append(step)
        on_step(step)
    return done
