"""`python -m scheduler`: runs until SIGTERM or Ctrl-C, through outages of Redis and the database."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Callable

import redis

from scheduler.jobs import Work
from scheduler.leader import Leader
from scheduler.runner import Runner
from vabhub.collectors import history
from vabhub.errors import SettingsError, VabHubError
from vabhub.log import configure_logging, get_logger
from vabhub.settings import Settings, get_settings

log = get_logger("scheduler")

STOP_WITHIN_S = 1.2
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_WATCH_EVERY_S = 30.0


def main() -> int:
    """Run the jobs until a signal comes; return the exit code."""
    try:
        settings = get_settings()
    except SettingsError as error:
        sys.stderr.write(f"{error.message}\n")
        return 1
    configure_logging(process="scheduler", level=settings.log_level, json_lines=settings.log_format == "json")
    # Not handled but waited for, and blocked until the process has ended: a repeated one changes nothing.
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    _run(settings)
    return 0


def _run(settings: Settings) -> None:
    leader = Leader()
    _quietly("lease", leader.renew)
    runner = Runner(Work(settings, leader).table())
    runner.start()
    log.info("scheduler.started")
    while signal.sigtimedwait(STOP_SIGNALS, _WATCH_EVERY_S) is None:
        runner.watch()
    stuck = runner.stop(within_s=STOP_WITHIN_S)
    _quietly("resign", leader.resign)
    if stuck:
        _leave_behind(stuck)
    _quietly("flush", history.flush)
    log.info("scheduler.stopped")


def _leave_behind(stuck: list[str]) -> None:
    # Python would wait for these threads at its exit, however long they hang.
    log.warning("scheduler.stopped", still_running=stuck)
    logging.shutdown()
    os._exit(0)


def _quietly(what: str, run: Callable[[], object]) -> None:
    try:
        run()
    except (VabHubError, redis.RedisError) as error:
        log.warning("scheduler.step_failed", step=what, reason=str(error)[:300])


if __name__ == "__main__":
    sys.exit(main())
