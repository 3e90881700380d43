"""Reads what rules are about: a value for each subject, None where it is not known now."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import redis
from sqlalchemy import func, select

from vabhub.alerts.metrics import MetricName
from vabhub.alerts.trend import days_until_full
from vabhub.clock import utcnow
from vabhub.collectors.base import Snapshot, SnapshotStatus, Source
from vabhub.collectors.history.series import named_sensors
from vabhub.collectors.publish import last_snapshot
from vabhub.db import db_now, reading
from vabhub.log import get_logger
from vabhub.models import Channel, Delivery
from vabhub.notify.states import WAITING

log = get_logger(__name__)

Values = Mapping[str, float | None]
"""By subject; "" is the machine as a whole."""
Read = Callable[[str], Snapshot | None]

_FRESH = timedelta(seconds=60)
_TREND_EVERY = timedelta(minutes=10)
_DOWN = {"online": 0.0, "offline": 1.0, "error": 1.0}


class Meter:
    """Reads metrics; remembers the slow one, the disks' trend."""

    def __init__(self, read: Read = last_snapshot) -> None:
        self._read = read
        self._trend: Values = {}
        self._trend_at: datetime | None = None

    def values(self, metric: MetricName) -> Values:
        """Return every subject's value."""
        return _METERS[metric](self)

    def of_system(self, pick: Callable[[Mapping[str, Any]], Values]) -> Values:
        """Return what `pick` finds in the machine's last reading, nothing when that is no longer fresh."""
        snapshot = self._last(Source.SYSTEM)
        if snapshot is None or snapshot.data is None or snapshot.status != SnapshotStatus.OK:
            return {}
        return pick(snapshot.data) if utcnow() - snapshot.collected_at < _FRESH else {}

    def sources(self) -> Values:
        """Return 1 for a download client that is down, 0 for one that answers."""
        snapshot = self._last(Source.DOWNLOADS)
        if snapshot is None or snapshot.data is None:
            return {}
        clients = snapshot.data.get("downloaders") or {}
        return {name: _DOWN.get(client.get("status")) for name, client in clients.items()}

    def trend(self) -> Values:
        """Return in how many days each disk is full, if it goes on as in the last week."""
        now = utcnow()
        if self._trend_at is None or now - self._trend_at >= _TREND_EVERY:
            self._trend, self._trend_at = days_until_full(), now
        return self._trend

    def _last(self, source: Source) -> Snapshot | None:
        try:
            return self._read(source)
        except redis.RedisError as error:
            log.warning("alerts.reading_unknown", source=source, reason=str(error)[:200])
            return None


def overdue() -> Values:
    """Return for each channel by how many seconds its most overdue delivery is late.

    A channel that is off, held, or asked us to wait keeps its deliveries on purpose: nothing is known of it.
    """
    with reading() as session:
        now = db_now(session)
        waiting = Delivery.state.in_(sorted(WAITING))
        oldest = select(Delivery.channel, func.min(Delivery.next_attempt_at)).where(
            waiting, Delivery.next_attempt_at <= now
        )
        late = {name: now - due for name, due in session.execute(oldest.group_by(Delivery.channel))}
        channels = session.scalars(select(Channel)).all()
    return {
        row.name: None if _keeps(row, now) else late.get(row.name, timedelta()).total_seconds()
        for row in channels
    }


def _keeps(channel: Channel, now: datetime) -> bool:
    off = not channel.enabled or channel.disabled_reason is not None or channel.opened_at is not None
    return off or (channel.blocked_until is not None and channel.blocked_until > now)


def _one(field: str) -> Callable[[Meter], Values]:
    return lambda meter: meter.of_system(lambda data: {"": data.get(field)})


def _disks(data: Mapping[str, Any]) -> Values:
    return {disk["mount"]: disk.get("percent") for disk in data.get("disks") or ()}


def _sensors(data: Mapping[str, Any]) -> Values:
    return {name: sensor.get("celsius") for name, sensor in named_sensors(data)}


_METERS: Mapping[MetricName, Callable[[Meter], Values]] = {
    MetricName.CPU_USAGE: _one("cpu_usage"),
    MetricName.MEMORY_USAGE: _one("memory_usage"),
    MetricName.TEMPERATURE_C: lambda meter: meter.of_system(_sensors),
    MetricName.DISK_USAGE: lambda meter: meter.of_system(_disks),
    MetricName.DISK_FULL_IN_DAYS: Meter.trend,
    MetricName.SOURCE_DOWN: Meter.sources,
    MetricName.QUEUE_OVERDUE_S: lambda _: overdue(),
}
