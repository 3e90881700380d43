"""The loop that starts the processes, merges their lines, restarts the dead and stops them all."""

from __future__ import annotations

import os
import selectors
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from types import FrameType

from vabhub.supervisor.child import Child
from vabhub.supervisor.guard import Guard
from vabhub.supervisor.output import Output

# The contract gives ten seconds to stop. What has not ended by then is killed, Redis last of all.
KILL_AFTER_S = 8.0
REDIS_KILL_AFTER_S = 1.2

_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Supervisor:
    """Watches children in one thread: a selector over their pipes, signals, and timers."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._children: list[Child] = []
        self._selector = selectors.DefaultSelector()
        self._guard = Guard()
        self._stop_asked = False
        self.why_stopping = "nobody reads its lines"
        self._wake_reader, self._wake_writer = os.pipe()
        self._listen_for_signals()

    @property
    def stop_asked(self) -> bool:
        """Whether a signal asked us to stop, or nobody reads our lines any more."""
        return self._stop_asked or self._output.broken

    def add(self, child: Child) -> None:
        """Start a child and keep it running from here on."""
        self._children.append(child)
        self._start(child)

    def step(self, longest_s: float = 30.0) -> None:
        """Relay lines, bury the dead and start what is due; sleep until one of these, or `longest_s`."""
        for key, _ in self._selector.select(self._until_due(longest_s)):
            if key.data is None:
                with suppress(BlockingIOError):
                    os.read(self._wake_reader, 4096)
            else:
                self._relay(key.data)
        for child in self._children:
            self._tend(child)

    def run_until(self, done: Callable[[], bool], timeout_s: float, pause_s: float = 0.05) -> bool:
        """Keep stepping until `done`, a request to stop, or the time is up; return whether it is done."""
        deadline = time.monotonic() + timeout_s
        while not done():
            if self.stop_asked or time.monotonic() >= deadline:
                return False
            self.step(pause_s)
        return True

    def stop(self) -> None:
        """Stop every child within ten seconds, the first one added (Redis) last."""
        self._stop_asked = True
        for child in self._children:
            child.start_at = child.report_at = None
        redis = [child for child in self._children if child.name == "redis"]
        self._stop([child for child in self._children if child not in redis], KILL_AFTER_S)
        self._stop(redis, REDIS_KILL_AFTER_S)
        self._guard.dismiss()

    def _stop(self, children: list[Child], kill_after_s: float) -> None:
        for child in children:
            child.signal_group(signal.SIGTERM)
        deadline = time.monotonic() + kill_after_s
        while any(child.pid for child in children):
            self.step(max(0.0, min(0.5, deadline - time.monotonic())))
            if time.monotonic() >= deadline:
                for child in children:
                    if child.pid:
                        self._output.say(f"{child.name} did not stop in {kill_after_s:g} s and is killed")
                    child.signal_group(signal.SIGKILL)
                deadline += 1

    def _start(self, child: Child) -> None:
        child.start()
        assert child.pid is not None
        self._guard.add(child.pid)
        self._selector.register(child.pipe, selectors.EVENT_READ, child)

    def _until_due(self, longest_s: float) -> float:
        times = [at for child in self._children for at in (child.start_at, child.report_at) if at is not None]
        return max(0.0, min([longest_s, *(at - time.monotonic() for at in times)]))

    def _tend(self, child: Child) -> None:
        if child.has_died():
            self._bury(child)
        elif child.pid is None and child.start_at is not None and child.start_at <= time.monotonic():
            self._start(child)
        elif child.report_at is not None and child.report_at <= time.monotonic():
            self._output.say(child.return_notice())

    def _relay(self, child: Child) -> bool:
        """Pass on what a child wrote; return whether there may be more."""
        try:
            data = os.read(child.pipe, 65536)
        except BlockingIOError:
            return False
        if not data:
            # Ended, or closed its own output: without this the selector would report it for ever.
            with suppress(KeyError):
                self._selector.unregister(child.pipe)
            return False
        self._output.relay(child.name, child.lines.feed(data))
        return True

    def _bury(self, child: Child) -> None:
        assert child.pid is not None
        group = child.pid
        child.signal_group(signal.SIGKILL)  # whoever it forked also holds the pipe
        while self._relay(child):
            pass
        self._output.relay(child.name, child.lines.flush())
        with suppress(KeyError):
            self._selector.unregister(child.pipe)
        code = child.bury()
        self._guard.remove(group)
        if not self._stop_asked:
            self._output.say(child.obituary(code, child.schedule()))

    def _listen_for_signals(self) -> None:
        for descriptor in (self._wake_reader, self._wake_writer):
            os.set_blocking(descriptor, False)
        signal.set_wakeup_fd(self._wake_writer, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
        for number in _STOP_SIGNALS:
            signal.signal(number, self._ask_to_stop)
        self._selector.register(self._wake_reader, selectors.EVENT_READ, None)

    def _ask_to_stop(self, number: int, _frame: FrameType | None) -> None:
        self.why_stopping = signal.Signals(number).name
        self._stop_asked = self._output.drop = True
