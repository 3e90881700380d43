"""`python -m workers`: consume until the first SIGTERM or SIGINT, then finish what is running and leave."""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading

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
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

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
    # Not handled but waited for, and blocked until the process has ended. A platform repeats its signals: one
    # inside the handler of another would wait for ever for the lock of the event that both set, and one while
    # Python winds down would kill.
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
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
    signal.sigwait(STOP_SIGNALS)
    _drain(workers, waker)
    return 0


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
