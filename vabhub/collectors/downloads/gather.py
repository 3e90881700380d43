"""Ask all download clients at the same time, and wait for none longer than the others deserve."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import replace

from vabhub.collectors.downloads.base import Reading
from vabhub.collectors.downloads.collector import ClientCollector
from vabhub.collectors.downloads.faults import FaultCode, SourceFault
from vabhub.log import get_logger

log = get_logger(__name__)

# A client that is slower than this is shown as it was when it last answered.
PATIENCE_S = 1.0
# The first answer decides what is shown after a start.
FIRST_PATIENCE_S = 3.0


class Gatherer:
    """Runs at most one question a client at a time, each in a thread of its own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asking: dict[ClientCollector, threading.Thread] = {}

    def read(self, collectors: Sequence[ClientCollector]) -> list[Reading]:
        """Return a reading for each client, in their order; a late one gives its last values."""
        threads = [self._ask(collector) for collector in collectors]
        known = any(collector.last.is_known for collector in collectors)
        ends_at = time.monotonic() + (PATIENCE_S if known else FIRST_PATIENCE_S)
        for thread in threads:
            thread.join(max(0.0, ends_at - time.monotonic()))
        return [_newest(collector) for collector in collectors]

    def _ask(self, collector: ClientCollector) -> threading.Thread:
        with self._lock:
            running = self._asking.get(collector)
            if running is None:
                # Daemonic: a client that hangs must not hold back the end of the process.
                running = threading.Thread(target=self._run, args=(collector,), daemon=True)
                self._asking[collector] = running
                running.start()
            return running

    def _run(self, collector: ClientCollector) -> None:
        try:
            collector.read()
        except Exception:
            # The edge of this thread: a fault of ours in one client must not silence the others.
            log.exception("downloads.collector_broke", instance=collector.instance)
            collector.break_down()
        finally:
            with self._lock:
                self._asking.pop(collector, None)


def _newest(collector: ClientCollector) -> Reading:
    """Return the last reading; before the first one, that the client does not answer.

    A client that hangs later gets that fault from its own time-outs.
    """
    last = collector.last
    if last.is_known:
        return last
    text = f"{collector.program} at {collector.where} has not answered yet."
    return replace(last, fault=SourceFault(FaultCode.TIMEOUT, text))
