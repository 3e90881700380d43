"""Hears what other processes invalidated or published. While it hears nothing, memory is kept for short."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import redis

from vabhub.cache import codec
from vabhub.cache.redis_tier import CHANNEL, read_message
from vabhub.log import get_logger
from vabhub.redis_client import new_pubsub_redis

log = get_logger(__name__)

RECONNECT_S = (0.1, 0.5, 1.0, 2.0, 5.0)
TICK_S = 2.0
_POLL_S = 1.0


class Listener:
    """A thread that hands on every message, says when it begins or stops to hear, and ticks meanwhile."""

    def __init__(
        self,
        on_message: Callable[[bytes, str, Any], None],
        on_state: Callable[[bool], None],
        on_tick: Callable[[], None],
    ) -> None:
        self._on_message = on_message
        self._on_state = on_state
        self._on_tick = on_tick
        self._ticked_at = 0.0
        self._failures = 0
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to listen, once."""
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="cache-listener", daemon=True)
                self._thread.start()

    def close(self) -> None:
        """End soon; nobody waits for it."""
        self._stop.set()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                with new_pubsub_redis() as client, client.pubsub() as pubsub:
                    pubsub.subscribe(CHANNEL)
                    self._pump(pubsub)
            except (redis.RedisError, OSError, ValueError) as error:
                if self._failures == 0 and not self._stop.is_set():
                    log.warning("cache.deaf", reason=str(error)[:200])
                    self._on_state(False)
                self._stop.wait(RECONNECT_S[min(self._failures, len(RECONNECT_S) - 1)])
                self._failures += 1
            except Exception:  # the edge of the thread: without it this process would never hear again
                if not self._stop.is_set():
                    log.exception("cache.listener_failed")
                    self._on_state(False)
                self._stop.wait(RECONNECT_S[-1])

    def _pump(self, pubsub: Any) -> None:
        while not self._stop.is_set():
            message = pubsub.get_message(timeout=_POLL_S)
            self._tick()
            if message is None:
                continue
            if message["type"] == "subscribe":
                self._failures = 0
                self._on_state(True)
            elif message["type"] == "message":
                self._take(message["data"])

    def _tick(self) -> None:
        if time.monotonic() - self._ticked_at >= TICK_S and not self._stop.is_set():
            self._ticked_at = time.monotonic()
            self._on_tick()

    def _take(self, raw: bytes) -> None:
        try:
            self._on_message(*read_message(raw))
        except codec.Corrupt as error:
            log.warning("cache.unreadable_message", reason=str(error)[:200])
