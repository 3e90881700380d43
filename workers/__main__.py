"""`python -m workers`: consume until the first SIGTERM or SIGINT, then finish what is running and leave."""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
from types import FrameType

from dramatiq import Worker

from vabhub import db
from vabhub.errors import SettingsError
from vabhub.log import configure_logging, get_logger
from vabhub.settings import get_settings
from workers import boot
from workers.middleware import TaskLog
from workers.outage import quieten_dramatiq
from workers.wake import Waker, consume_wakefully

DRAIN_S = 20.0

log = get_logger("workers")


def main() -> int:
    """Run the worker; return the exit code."""
    try:
        settings = get_settings()
    except SettingsError as error:
        sys.stderr.write(f"vabhub worker: {error.message}\n")
        return 1
    configure_logging(process="worker", level=settings.log_level, json_lines=settings.log_format == "json")
    quieten_dramatiq()
    stopping = _stop_on_signals()
    broker = boot.load_actors()
    broker.add_middleware(TaskLog())
    waker = Waker()
    consume_wakefully(broker, waker)
    workers = boot.make_workers(broker, settings)
    broker.emit_after("process_boot")
    for worker in workers:
        worker.start()
    waker.start()
    gc.collect()
    gc.freeze()
    log.info("worker.ready", threads=settings.worker_threads, urgent_threads=boot.URGENT_THREADS)
    stopping.wait()
    _drain(workers, waker)
    return 0


def _stop_on_signals() -> threading.Event:
    """Return the event that the first signal sets. A platform may repeat it to every process: no matter."""
    stopping = threading.Event()

    def ask(_number: int, _frame: FrameType | None) -> None:
        stopping.set()

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, ask)
    return stopping


def _drain(workers: list[Worker], waker: Waker) -> None:
    log.info("worker.draining", at_most_s=DRAIN_S)
    # A task that takes longer than this is given up with the process; its claim's lease runs out.
    last_resort = threading.Timer(DRAIN_S + 2, os._exit, args=[0])
    last_resort.daemon = True
    last_resort.start()
    waker.wake_all(hurry=True)
    boot.stop(workers, DRAIN_S)
    db.dispose()
    log.info("worker.stopped")


if __name__ == "__main__":
    sys.exit(main())
