"""What runs when: one table."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import redis

from scheduler import cadence
from scheduler.cadence import Rhythm
from scheduler.leader import ASK_EVERY_S, Leader
from vabhub import alerts
from vabhub.cache import store
from vabhub.collectors import history, performance
from vabhub.collectors.base import Snapshot
from vabhub.collectors.dashboard import build
from vabhub.collectors.downloads import read_all, snapshot_of, wake
from vabhub.collectors.downloads.refresh import Hurry
from vabhub.collectors.downloads.watch import Watch
from vabhub.collectors.library import Changes, media_stats, music_stats, request_due_scans
from vabhub.collectors.publish import publish_snapshot
from vabhub.collectors.services import configured
from vabhub.collectors.system import SystemCollector
from vabhub.db import reading, transaction
from vabhub.events.topics import Topic
from vabhub.notify.history import purge_deleted
from vabhub.notify.sweep import sweep_once
from vabhub.settings import Settings

FLUSH_EVERY_S = 10.0
ALERTS_EVERY_S = 15.0
SWEEP_EVERY_S = 1.0
HURRY_ASK_EVERY_S = 0.5
LIBRARY_EVERY_S = 30.0
SCANS_EVERY_S = 60.0
CHANGES_EVERY_S = 5.0
PRUNE_EVERY_S = 3600.0


@dataclass(frozen=True, slots=True)
class Job:
    """A name, how often, what, and how long after the start for the first time."""

    name: str
    every_s: float
    run: Callable[[], object]
    first_after_s: float = 0.0


class Work:
    """The jobs' common state: who leads, and the samplers that must remember their last sample."""

    def __init__(self, settings: Settings, leader: Leader) -> None:
        self._settings = settings
        self._leader = leader
        self._system = SystemCollector(settings.system_interval_s)
        self._alerts = alerts.Checker()
        self._sampling = threading.Lock()
        self._asking = threading.Lock()
        self._hurry: Hurry | None = None
        self._watch = Watch(settings)
        self._changes = Changes(settings.library_watches)
        self._downloads: tuple[int | None, Any] = (None, None)
        self._of_system = Rhythm(Topic.SYSTEM, settings.system_interval_s, settings.ttl_system_s)
        self._of_downloads = Rhythm(Topic.DOWNLOADS, settings.downloads_interval_s, settings.ttl_downloads_s)
        self._of_performance = Rhythm(Topic.API_PERFORMANCE, performance.INTERVAL_S, 60)
        self._of_dashboard = Rhythm(Topic.DASHBOARD, settings.dashboard_interval_s, settings.ttl_dashboard_s)

    def table(self) -> tuple[Job, ...]:
        """Return all jobs. Only the lease and the sweep run in a scheduler that does not lead."""
        chosen = self._settings
        return (
            Job("lease", ASK_EVERY_S, self.lease),
            Job("notify_sweep", SWEEP_EVERY_S, sweep_once),
            Job("system", chosen.system_interval_s, self.system),
            Job("downloads", chosen.downloads_interval_s, self._of_downloads.beat(self.downloads)),
            Job("downloads_hurry", HURRY_ASK_EVERY_S, self._when_leading(self.downloads_hurry)),
            # After the first reading of each source.
            Job("dashboard", chosen.dashboard_interval_s, self._of_dashboard.beat(self.dashboard), 0.5),
            Job(
                "api_performance",
                performance.INTERVAL_S,
                self._of_performance.beat(self._when_leading(self.api_performance)),
            ),
            Job("followers", cadence.ASK_EVERY_S, self._when_leading(self.followers)),
            Job("library", LIBRARY_EVERY_S, self._when_leading(self.library)),
            Job("library_scans", SCANS_EVERY_S, self._when_leading(self.library_scans)),
            Job("library_changes", CHANGES_EVERY_S, self._when_leading(self._changes.see), 5),
            Job("alerts", ALERTS_EVERY_S, self._when_leading(self._alerts.check), 10),
            Job("history_flush", FLUSH_EVERY_S, history.flush),
            Job("history_prune", PRUNE_EVERY_S, self._when_leading(history.prune), 60),
            Job("alerts_prune", PRUNE_EVERY_S, self._when_leading(alerts.prune), 75),
            Job("notify_purge", PRUNE_EVERY_S, self._when_leading(purge_notifications), 90),
            Job("cache_sweep", PRUNE_EVERY_S, self._when_leading(sweep_cache), 120),
        )

    def lease(self) -> None:
        """Become the leader when nobody is; a new one publishes at once: there was silence enough."""
        if not self._leader.is_settled and self._leader.renew():
            self._sample()

    def system(self) -> None:
        """Sample the machine."""
        with suppress(redis.RedisError):  # without Redis the last leader goes on recording
            if self._leader.token is not None:
                self._leader.renew()
        if self._of_system.is_due():
            self._sample()

    def followers(self) -> None:
        """Read at once what somebody follows now and nobody did before."""
        runs = {
            self._of_system: self._sample,
            self._of_downloads: self.downloads,
            self._of_dashboard: self.dashboard,
            self._of_performance: self.api_performance,
        }
        with suppress(redis.RedisError):  # then nobody hears of it either
            for rhythm in cadence.newly_followed(runs):
                rhythm.beat(runs[rhythm])()

    def downloads(self) -> None:
        """Ask the download clients; push only what changed."""
        with self._asking:
            if self._leader.may_record:
                self._ask_clients()
            else:
                self._watch.forget()

    def downloads_hurry(self) -> None:
        """Ask them beyond their usual times when somebody has just changed something."""
        with suppress(redis.RedisError):  # then nobody can have asked
            self._hurry = self._hurry or Hurry()
            if self._hurry.is_due():
                if self._hurry.wakes:
                    wake()
                self.downloads()

    def _ask_clients(self) -> None:
        readings = read_all(configured(self._settings))
        snapshot = snapshot_of(readings)
        now = (self._leader.token, _without_age(snapshot))
        changed, self._downloads = now != self._downloads, now
        try:
            self._take(snapshot, Topic.DOWNLOADS if changed else None)
        except BaseException:
            self._downloads = (None, None)
            raise
        if self._leader.token is None:
            self._watch.forget()
        else:
            self._watch.see(readings)

    def dashboard(self) -> None:
        """Compose the overview."""
        if self._leader.token is None:
            return
        with reading() as session:
            snapshot = build(session)
        publish_snapshot(snapshot, Topic.DASHBOARD, self._leader.token)

    def api_performance(self) -> None:
        """Add up what the web processes counted."""
        publish_snapshot(performance.collect(), Topic.API_PERFORMANCE, self._leader.token)

    def library(self) -> None:
        """Count the library anew from its rows."""
        with reading() as session:
            snapshots = [media_stats(session), music_stats(session)]
        for snapshot in snapshots:
            publish_snapshot(snapshot)

    def library_scans(self) -> None:
        """Queue the scans that are due."""
        with transaction() as session:
            request_due_scans(session, self._settings)

    def _sample(self) -> None:
        with self._sampling:
            if self._leader.may_record:
                self._take(self._system.collect(), Topic.SYSTEM)

    def _take(self, snapshot: Snapshot, topic: Topic | None) -> None:
        history.record(snapshot)
        token = self._leader.token
        if token is not None:
            publish_snapshot(snapshot, topic, token)

    def _when_leading(self, run: Callable[[], object]) -> Callable[[], object]:
        return lambda: run() if self._leader.token is not None else None


def purge_notifications() -> None:
    """Remove what was deleted a day ago, slice by slice."""
    while purge_deleted():
        pass


def sweep_cache() -> None:
    """Delete the cached values in the database that are past their end."""
    database = store().database
    if database is not None:
        database.sweep()


def _without_age(snapshot: Snapshot) -> Any:
    data = {key: value for key, value in (snapshot.data or {}).items() if key != "collected_at"}
    return snapshot.status, snapshot.error, data
