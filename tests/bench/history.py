"""The history: how fast it is written, what it takes, a year's query, and what an idle scheduler costs."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import psutil
from sqlalchemy import insert, text

from tests.bench.figures import Report, quantiles, rounds
from tests.bench.place import BACKENDS, Place, using
from vabhub import clock, db
from vabhub.collectors import history
from vabhub.collectors.base import Snapshot, Source
from vabhub.collectors.history import DAY_S, RAW, TIERS, Recorder
from vabhub.models import MetricPoint, MetricSeries, MetricTier

FLUSH_S = 10
YEAR_MS = 200.0
IDLE_SHARE = 1.0
_QUERIES = {
    "an hour by minutes": (1, 1),
    "a day by 5 min": (24, 5),
    "a week by 15 min": (168, 15),
    "90 days by hours": (2160, 60),
    "a year by days": (8760, 1440),
}
_ROWS = 5000


@dataclass(slots=True)
class Store:
    """An installation whose history is as full as it ever gets, at every tier."""

    place: Place
    now: datetime
    figures: dict[str, list[float]] = field(default_factory=dict)
    recorder: Recorder = field(default_factory=Recorder)

    def write(self, flushes: int) -> None:
        """Record and flush as a scheduler does; what is timed is the flush."""
        took, rows, before = 0.0, 0, _written_bytes()
        with using(self.place), clock.frozen(lambda: self.now):
            for _ in range(flushes):
                for _ in range(FLUSH_S // RAW.step_s):
                    self.now += timedelta(seconds=RAW.step_s)
                    self.recorder.record(_machine(self.now))
                    self.recorder.record(_clients(self.now))
                began = time.perf_counter()
                rows += self.recorder.flush()
                took += time.perf_counter() - began
        self._note("written: rows/s", rows / took)
        self._note("a flush of 10 s", took / flushes * 1000)
        if self.place.backend == "sqlite":
            a_day = (_written_bytes() - before) / flushes * DAY_S / FLUSH_S
            self._note("handed to the disk in a day", a_day / 1e6)

    def ask(self, number: int) -> None:
        """Ask for each span: the p95 of a round."""
        with using(self.place), clock.frozen(lambda: self.now):
            for name, span in _QUERIES.items():
                took = [_timed(partial(history.query, *span)) for _ in range(number)]
                self._note(f"{name}: p95", quantiles(took, 0.95)[0])

    def _note(self, name: str, value: float) -> None:
        self.figures.setdefault(name, []).append(value)


def measure(directory: Path, turns: int, *, quick: bool) -> Report:
    """Fill both databases to the brim, then measure both by turns, and an idle scheduler at the end."""
    share, flushes, asks, idle_s = (0.02, 5, 3, 10) if quick else (1.0, 20, 10, 40)
    report = Report("History: every tier as full as it ever gets")
    with ExitStack() as stack:
        stores = [_full(stack, directory, backend, share, report) for backend in BACKENDS]
        rounds(turns, *(partial(store.write, flushes) for store in stores))
        rounds(turns, *(partial(store.ask, asks) for store in stores))
    for store in stores:
        _report(report, store)
    shares = [_idle_share(directory / f"idle-{turn}", idle_s) for turn in range(min(turns, 3))]
    report.add("scheduler, idle, nobody looks: of a core", "%", shares, at_most=IDLE_SHARE)
    report.notes.append(f"idle: user and system time over {idle_s} s, on SQLite, without download clients.")
    return report


def _full(stack: ExitStack, directory: Path, backend: str, share: float, report: Report) -> Store:
    place = stack.enter_context(Place(directory / f"history-{backend}", backend, workers=0))
    store = Store(place, datetime.now(UTC))
    with using(place):
        empty = _size(place)
        rows = _fill(store.now, share)
        grown = _size(place) - empty
    a_series = sum(tier.keep_s // tier.step_s for tier in TIERS)
    a_day = sum(DAY_S // tier.step_s for tier in TIERS)
    report.notes.append(
        f"{backend}: {rows:,} rows in {grown / 1e6:.0f} MB, {grown / rows:.0f} bytes a row; a series has "
        f"{a_series:,} rows when full: {a_series * grown / rows / 1e6:.1f} MB; {a_day:,} rows a day come and "
        f"go: {a_day * grown / rows / 1e6:.1f} MB"
    )
    return store


def _fill(now: datetime, share: float) -> int:
    """Store every tier in full, `share` of its past; return how many rows."""
    end = int(now.timestamp())
    with clock.frozen(lambda: now):
        recorder = Recorder()
        recorder.record(_machine(now))
        recorder.record(_clients(now))
        recorder.flush()
    with db.reading() as session:
        numbers = [(row.id, ":" in row.name) for row in session.query(MetricSeries)]
    rows = 0
    for tier in TIERS:
        until = tier.bucket(end) - tier.step_s
        since = tier.bucket(int(until - tier.keep_s * share))
        for batch in _batches(_points(tier.step_s, since, until, numbers)):
            rows += len(batch)
            with db.transaction() as session:
                session.execute(insert(MetricPoint), batch)
        with db.transaction() as session:
            mark = session.get(MetricTier, tier.step_s)
            assert mark is not None
            mark.rolled_until = until
    return rows


def _points(
    step_s: int, since: int, until: int, numbers: Sequence[tuple[int, bool]]
) -> Iterator[dict[str, Any]]:
    for at in range(since, until, step_s):
        for number, is_part in numbers:
            if not is_part or at % FLUSH_S == 0:
                value = (at * number) % 9973 / 100
                spread = {"min": value - 1, "avg": value, "max": value + 1}
                yield {"tier_s": step_s, "at": at, "series_id": number, "n": 1, **spread}


def _batches(rows: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    batch = []
    for row in rows:
        batch.append(row)
        if len(batch) == _ROWS:
            yield batch
            batch = []
    if batch:
        yield batch


def _size(place: Place) -> int:
    """Return the bytes of the points, with their index."""
    with db.get_engine().connect() as connection:
        if place.backend == "postgresql":
            return int(connection.scalar(text("SELECT pg_total_relation_size('metric_point')")) or 0)
        pages = int(connection.scalar(text("PRAGMA page_count")) or 0)
        return pages * int(connection.scalar(text("PRAGMA page_size")) or 0)


def _machine(at: datetime) -> Snapshot:
    """A machine with a few of each part: a dozen series beside those of the whole."""
    wave = at.timestamp() % 977 / 10
    names = ("cpu_usage", "memory_usage", "disk_usage", "network_sent_bps", "network_recv_bps")
    data: dict[str, Any] = dict.fromkeys(names, wave) | {"load": [wave]}
    data["disks"] = [{"mount": f"/disk{number}", "free_bytes": 1e12 - wave} for number in range(4)]
    data["interfaces"] = [{"name": "eth0", "recv_bps": wave, "sent_bps": wave}]
    data["temperatures"] = [{"sensor": "cpu", "label": f"Core {n}", "celsius": wave} for n in range(4)]
    return Snapshot(Source.SYSTEM, at, data=data)


def _clients(at: datetime) -> Snapshot:
    client = {"status": "online", "dl_info_speed": 1000, "up_info_speed": 100}
    return Snapshot(
        Source.DOWNLOADS, at, data={"download_bps": 1000, "upload_bps": 100, "downloaders": {"home": client}}
    )


def _report(report: Report, store: Store) -> None:
    name = store.place.backend
    for what, values in store.figures.items():
        unit = {"written": "rows/s", "handed": "MB"}.get(what.partition(" ")[0].rstrip(":"), "ms")
        target = {"at_most": YEAR_MS} if what.startswith("a year") else {}
        report.add(f"{name}: {what}", unit, values, **target)


def _idle_share(directory: Path, seconds: int) -> float:
    """Return the percent of a core that a scheduler takes when nobody looks, after it has settled."""
    with Place(directory, "sqlite", workers=0, schedulers=1) as place, _scheduler(place) as process:
        process.cpu_percent()
        time.sleep(5)
        before = sum(process.cpu_times()[:2])
        began = time.monotonic()
        time.sleep(seconds)
        return 100 * (sum(process.cpu_times()[:2]) - before) / (time.monotonic() - began)


@contextmanager
def _scheduler(place: Place) -> Iterator[psutil.Process]:
    (running,) = place.running("scheduler")
    yield psutil.Process(running.pid)


def _written_bytes() -> int:
    """Return what this process has written so far; the database file is all it writes meanwhile."""
    return int(psutil.Process().io_counters().write_chars)


def _timed(what: Any) -> float:
    began = time.perf_counter()
    what()
    return (time.perf_counter() - began) * 1000
