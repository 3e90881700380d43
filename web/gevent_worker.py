"""gunicorn's gevent worker, except that idle connections do not hold up its stop, nor slow ones a place."""

from __future__ import annotations

from types import FrameType, TracebackType
from typing import Any, Literal

import gevent
from gunicorn.workers.ggevent import GeventWorker  # type: ignore[import-untyped]

# A connection's first request, whole: gunicorn would wait for the rest of it as long as for an idle one.
FIRST_REQUEST_WITHIN_S = 10.0
# What is on its way when we are to stop may still arrive.
HANG_UP_AFTER_S = 0.5


class IdleAwareWorker(GeventWorker):  # type: ignore[misc]
    """Knows which connections wait for a next request, and hangs them up when it is to stop.

    gunicorn waits for them as for running requests: until `keepalive` is over.
    """

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._waiting: dict[_Wait, Any] = {}
        self._new: set[Any] = set()

    def handle(self, listener: Any, client: Any, addr: Any) -> None:
        """Serve a connection, one request after another."""
        self._new.add(gevent.getcurrent())
        try:
            super().handle(listener, client, addr)
        finally:
            self._new.discard(gevent.getcurrent())

    def timeout_ctx(self) -> _Wait:
        """Return the context in which a connection waits for its next request."""
        return _Wait(self._patience_s() if self.alive else HANG_UP_AFTER_S, self._waiting)

    def _patience_s(self) -> float:
        greenlet = gevent.getcurrent()
        if greenlet not in self._new:
            return float(self.cfg.keepalive)
        self._new.remove(greenlet)
        return FIRST_REQUEST_WITHIN_S

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop: let the running requests end, and nobody begin another on an old connection."""
        super().handle_exit(sig, frame)
        gevent.spawn_later(HANG_UP_AFTER_S, self._hang_up)

    def _hang_up(self) -> None:
        for wait in list(self._waiting):
            gevent.get_hub().loop.run_callback(wait.end)


class _Wait(gevent.Timeout):
    def __init__(self, seconds: float, waiting: dict[_Wait, Any]) -> None:
        super().__init__(seconds, False)  # type: ignore[arg-type]
        self._all = waiting

    def __enter__(self) -> _Wait:
        self._all[self] = gevent.getcurrent()
        super().__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> Literal[True] | None:
        self._all.pop(self, None)
        return super().__exit__(kind, error, trace)

    def end(self) -> None:
        """Be over now, as by the clock. Called by the hub, so the one who waits cannot just have gone on."""
        greenlet = self._all.pop(self, None)
        if greenlet is not None:
            greenlet.throw(self)
