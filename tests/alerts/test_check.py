"""Alerts over a real database: one notification each way, across restarts, crashes and two schedulers."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, insert, select

from vabhub import clock, db
from vabhub.alerts import Checker, prune, rules
from vabhub.alerts.listing import AlertQuery, list_alerts
from vabhub.alerts.measure import Meter
from vabhub.alerts.metrics import MetricName
from vabhub.alerts.rules import NewRule, RuleChange
from vabhub.collectors.base import Snapshot, SnapshotStatus, Source
from vabhub.errors import ValidationFailed
from vabhub.models import AlertRule, Channel, Delivery, Notification
from vabhub.notify.accept import NewNotification, accept
from vabhub.settings import Settings

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


class FixedMeter(Meter):
    """Says what a test tells it to."""

    def __init__(self) -> None:
        super().__init__()
        self.disks: dict[str, float | None] = {}

    def values(self, metric: MetricName) -> Mapping[str, float | None]:
        """Return the disks, whatever the metric."""
        return self.disks if metric is MetricName.DISK_USAGE else {}


class Site:
    """An installation with one rule, whose time a test moves."""

    def __init__(self) -> None:
        self.now = START
        self.meter = FixedMeter()
        self.checker = Checker(self.meter)
        with db.transaction() as session:
            session.execute(delete(AlertRule))
            made = rules.create_rule(session, NewRule(metric="disk_usage", threshold=95, clear_at=90))  # type: ignore[arg-type]
        self.rule_id: int = made["id"]

    def run(self, minutes: float, **disks: float | None) -> None:
        """Check every 15 s for so long; a name stands for its mount."""
        self.meter.disks = {f"/{name}": value for name, value in disks.items()}
        for _ in range(int(minutes * 4)):
            self.now += timedelta(seconds=15)
            self.checker.check()

    def restart(self) -> None:
        """Let a scheduler begin that remembers nothing."""
        self.checker = Checker(self.meter)

    def told(self) -> list[tuple[str, str]]:
        """Return type and title of every notification, in order."""
        with db.reading() as session:
            rows = session.scalars(select(Notification).order_by(Notification.id))
            return [(row.type, row.title) for row in rows]

    def alerts(self, **query: Any) -> list[dict[str, Any]]:
        """Return the alerts as the API lists them."""
        with db.reading() as session:
            items: list[dict[str, Any]] = list_alerts(session, AlertQuery(**query))["items"]
        return items


@pytest.fixture
def site(database: Settings, redis: None) -> Iterator[Site]:
    made = Site()
    with clock.frozen(lambda: made.now):
        yield made


FIRED = ("warning", "A disk is nearly full: /data")
OVER = ("success", "Well again: A disk is nearly full: /data")


def test_a_disk_that_fills_is_told_once_and_again_when_it_is_over(site: Site) -> None:
    site.run(4, data=96)
    assert site.told() == []
    assert site.alerts()[0]["status"] == "pending"
    site.run(60, data=97)
    assert site.told() == [FIRED]
    site.run(10, data=80)
    assert site.told() == [FIRED, OVER]
    (alert,) = site.alerts(status="resolved")
    assert (alert["subject"], alert["resolved_why"]) == ("/data", "cleared")


def test_every_subject_has_its_own(site: Site) -> None:
    site.run(6, data=96, media=99, root=10)
    assert sorted(alert["subject"] for alert in site.alerts(status="firing")) == ["/data", "/media"]
    assert len(site.told()) == 2


def test_state_survives_restarts(site: Site) -> None:
    for _ in range(6):
        site.run(1, data=96)
        site.restart()
    assert site.told() == [FIRED]
    for _ in range(4):
        site.run(1, data=50)
        site.restart()
    assert site.told() == [FIRED, OVER]


def test_a_downtime_counts_for_nothing(site: Site) -> None:
    site.run(1, data=96)
    site.now += timedelta(hours=3)
    site.run(1, data=96)
    assert site.told() == []


def test_unknown_is_no_end(site: Site) -> None:
    site.run(6, data=96)
    site.run(60, data=None)
    site.run(60)
    assert [alert["status"] for alert in site.alerts()] == ["firing"]
    assert site.told() == [FIRED]


def test_what_could_not_be_told_has_not_happened(site: Site) -> None:
    site.run(4, data=96)
    inbox = _take_inbox_away()
    with pytest.raises(ValidationFailed):
        site.run(5, data=96)
    assert [alert["status"] for alert in site.alerts()] == ["pending"]
    with db.transaction() as session:
        session.execute(insert(Channel).values(**inbox))
    site.run(5, data=96)
    assert site.told() == [FIRED]


def test_two_schedulers_tell_once(site: Site) -> None:
    for value in [96.0] * 24 + [50.0] * 12:
        site.meter.disks = {"/data": value}
        site.now += timedelta(seconds=15)
        threads = [threading.Thread(target=Checker(site.meter).check) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert site.told() == [FIRED, OVER]


def test_a_changed_rule_begins_anew_without_a_word(site: Site) -> None:
    site.run(6, data=96)
    with db.transaction() as session:
        rules.change_rule(session, site.rule_id, RuleChange(enabled=False))
    site.run(6, data=96)
    assert [(a["status"], a["resolved_why"]) for a in site.alerts()] == [("resolved", "rule")]
    assert site.told() == [FIRED]


def test_a_deleted_rule_leaves_its_past(site: Site) -> None:
    site.run(6, data=96)
    with db.transaction() as session:
        rules.delete_rule(session, site.rule_id)
    site.run(1, data=96)
    assert [(a["status"], a["rule_id"]) for a in site.alerts()] == [("resolved", None)]
    site.now += timedelta(days=400)
    assert prune() == 1


def test_it_goes_to_the_rule_s_channels_that_are_still_there(site: Site) -> None:
    with db.transaction() as session:
        session.add(_channel("phone", alerts=False))
        session.add(_channel("pager", alerts=True))
        session.flush()
        rules.change_rule(session, site.rule_id, RuleChange(channels=["phone"]))
    site.run(6, data=96)
    assert _channels_of_newest() == {"system", "phone"}
    with db.transaction() as session:
        session.execute(delete(Channel).where(Channel.name == "phone"))
        rules.change_rule(session, site.rule_id, RuleChange(channels=[]))
    site.run(6, data=50)
    assert _channels_of_newest() == {"system", "pager"}


def test_nothing_is_written_while_all_is_well(site: Site) -> None:
    site.meter.disks = {"/data": 50.0, "/media": None}
    assert site.checker.check() == 0


def test_a_client_that_is_down_and_a_sensor_are_read_from_the_last_readings(database: Settings) -> None:
    def read(source: str) -> Snapshot | None:
        if source == Source.DOWNLOADS:
            clients = {"a": {"status": "offline"}, "b": {"status": "online"}, "c": {"status": "unknown"}}
            return Snapshot(source, clock.utcnow(), SnapshotStatus.STALE, data={"downloaders": clients})
        sensors = [{"sensor": "cpu", "label": "Core 0", "celsius": 91.0}] * 2
        return Snapshot(source, clock.utcnow(), data={"temperatures": sensors, "cpu_usage": None})

    meter = Meter(read)
    assert meter.values(MetricName.SOURCE_DOWN) == {"a": 1, "b": 0, "c": None}
    assert meter.values(MetricName.TEMPERATURE_C) == {"cpu/Core 0": 91, "cpu/Core 0#2": 91}
    assert meter.values(MetricName.CPU_USAGE) == {"": None}
    assert meter.values(MetricName.DISK_USAGE) == {}


def test_an_old_reading_is_not_known(database: Settings) -> None:
    old = Snapshot(Source.SYSTEM, clock.utcnow() - timedelta(minutes=5), data={"cpu_usage": 99.0})
    assert Meter(lambda _: old).values(MetricName.CPU_USAGE) == {}


def test_a_queue_that_nobody_serves_is_overdue(site: Site, database: Settings) -> None:
    with db.transaction() as session:
        session.add(_channel("phone", alerts=False))
        session.flush()
        request = NewNotification(title="Hello", message="world", channels=["phone"])
        accept(session, request, source="test")
        delivery = session.scalars(select(Delivery)).one()
        delivery.next_attempt_at -= timedelta(seconds=900)
    late = Meter().values(MetricName.QUEUE_OVERDUE_S)
    assert late["system"] == 0
    assert late["phone"] is not None
    assert late["phone"] >= 900
    with db.transaction() as session:
        session.scalars(select(Channel).where(Channel.name == "phone")).one().enabled = False
    assert Meter().values(MetricName.QUEUE_OVERDUE_S)["phone"] is None


def _take_inbox_away() -> dict[str, Any]:
    with db.transaction() as session:
        row = session.scalars(select(Channel).where(Channel.name == "system")).one()
        fields = {column.name: getattr(row, column.name) for column in Channel.__table__.columns}
        session.execute(delete(Channel).where(Channel.name == "system"))
    return fields


def _channel(name: str, *, alerts: bool) -> Channel:
    return Channel(name=name, kind="webhook", alerts=alerts, created_at=START, updated_at=START)


def _channels_of_newest() -> set[str]:
    with db.reading() as session:
        newest = session.scalars(select(Notification).order_by(Notification.id.desc()).limit(1)).one()
        return {delivery.channel for delivery in newest.deliveries}
