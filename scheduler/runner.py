"""Runs the table of jobs, each in a slot of its own: one that fails or hangs delays no other."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta

import redis
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger
from prometheus_client import Counter, Histogram

from scheduler.jobs import Job
from vabhub.errors import VabHubError
from vabhub.log import get_logger

log = get_logger(__name__)

SECONDS = Histogram("vabhub_job_seconds", "How long a scheduled job took", ["job"])
FAILURES = Counter("vabhub_job_failures_total", "Scheduled jobs that failed", ["job"])

_SAY_AGAIN_S = 60.0


class Runner:
    """APScheduler with a memory store, around the table."""

    def __init__(self, jobs: Iterable[Job]) -> None:
        self._runs = [_Run(job) for job in jobs]
        # It warns at every tick about a job that still runs; we say so once a minute.
        logging.getLogger("apscheduler.scheduler").setLevel(logging.ERROR)
        self._scheduler = BackgroundScheduler(
            executors={"default": ThreadPoolExecutor(len(self._runs))},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": 30},
            timezone=UTC,
        )
        now = datetime.now(UTC)
        for run in self._runs:
            self._scheduler.add_job(
                run,
                IntervalTrigger(seconds=run.job.every_s, timezone=UTC),
                id=run.job.name,
                next_run_time=now + timedelta(seconds=run.job.first_after_s),
            )

    def start(self) -> None:
        """Run every job now and then in its rhythm."""
        self._scheduler.start()

    def stop(self, *, within_s: float) -> list[str]:
        """Start no more jobs and wait for those that run; return the names of those that did not end."""
        self._scheduler.shutdown(wait=False)
        deadline = time.monotonic() + within_s
        for run in self._runs:
            run.idle.wait(max(0.0, deadline - time.monotonic()))
        return [run.job.name for run in self._runs if not run.idle.is_set()]

    def watch(self) -> None:
        """Say which jobs take far longer than their rhythm."""
        for run in self._runs:
            run.complain_when_stuck()


class _Run:
    """One job: timed, counted, and its failures written down once instead of at every tick."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.idle = threading.Event()
        self.idle.set()
        self._began_at = 0.0
        self._failure: str | None = None
        self._said_at = -math.inf

    def __call__(self) -> None:
        self.idle.clear()
        self._began_at = time.monotonic()
        try:
            self.job.run()
        except (VabHubError, redis.RedisError) as error:
            self._failed(error, log.warning)
        except Exception as error:  # noqa: BLE001 (the edge of a thread: the next run must come)
            self._failed(error, log.exception)
        else:
            if self._failure is not None:
                log.info("scheduler.job_recovered", job=self.job.name)
            self._failure = None
        finally:
            SECONDS.labels(self.job.name).observe(time.monotonic() - self._began_at)
            self.idle.set()

    def complain_when_stuck(self) -> None:
        """Write a line when the job has run for ten times its rhythm."""
        running_s = time.monotonic() - self._began_at
        if not self.idle.is_set() and running_s > max(10.0, 10 * self.job.every_s) and self._may_say():
            log.warning("scheduler.job_stuck", job=self.job.name, running_s=round(running_s))

    def _failed(self, error: Exception, say: Callable[..., object]) -> None:
        FAILURES.labels(self.job.name).inc()
        reason = f"{type(error).__name__}: {error}"[:300]
        if reason != self._failure or self._may_say():
            self._said_at = time.monotonic()
            say("scheduler.job_failed", job=self.job.name, reason=reason)
        self._failure = reason

    def _may_say(self) -> bool:
        now = time.monotonic()
        if now - self._said_at < _SAY_AGAIN_S:
            return False
        self._said_at = now
        return True
