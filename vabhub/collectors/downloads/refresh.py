"""Tell the process that reads the download clients that there is something to see."""

from __future__ import annotations

import time
from collections.abc import Callable

import redis

from vabhub.log import get_logger
from vabhub.redis_client import PREFIX, get_redis

log = get_logger(__name__)

_ASKED = f"{PREFIX}downloads:asked"
_WOKEN = f"{PREFIX}downloads:woken"
# A client may take a second or two to show what it was told.
HURRY_FOR_S = 5.0
HURRY_EVERY_S = 1.0


def ask_soon(*, wake: bool = False) -> None:
    """Let the clients be read at once, and often for a few seconds; `wake`: those that failed, too."""
    try:
        get_redis().incr(_WOKEN if wake else _ASKED)
    except redis.RedisError as error:
        log.warning("downloads.refresh_unheard", reason=type(error).__name__)


class Hurry:
    """Decides whether the clients are to be read now, beyond their usual times."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._heard = _asked()
        self._until = 0.0
        self._read_at = 0.0
        self.wakes = False  # whether those that failed are to be asked, too

    def is_due(self) -> bool:
        """Return whether somebody asked since, or did a moment ago. Raises redis.RedisError."""
        now, asked = self._monotonic(), _asked()
        self.wakes = asked[1] != self._heard[1]
        if asked != self._heard:
            self._heard, self._until = asked, now + HURRY_FOR_S
        elif now >= self._until or now - self._read_at < HURRY_EVERY_S:
            return False
        self._read_at = now
        return True


def _asked() -> tuple[object, object]:
    asked, woken = get_redis().mget(_ASKED, _WOKEN)
    return asked, woken
