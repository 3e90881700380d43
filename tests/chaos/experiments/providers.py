"""11 to 13: providers that fail in every way, one that swallows everything, and a payload that kills."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from pathlib import Path

from tests.chaos import sink_process
from tests.chaos.audit import audit
from tests.chaos.load import Load
from tests.chaos.result import Result, Size, quantile
from tests.chaos.sink import EFFECTS, Arrival
from tests.chaos.site import WORKERS, Site
from tests.support.waiting import wait_until

HELD_S = 30.0
URGENT_S = 2.0
IN_THE_HOLE = 4  # half of a worker's eight threads
SILENT_S = 10.0  # how long a provider may say nothing
LEASE_S = 45.0
CLOSE_S = 1.0  # an HTTP date knows whole seconds


def failing_provider(result: Result, directory: Path, size: Size) -> None:
    """10 % 500, 5 % 429, 5 % never answered, 5 % taken and then reset, 2 % answered a byte a second."""
    with Site(directory, result.backend) as site:
        channels = site.channels(10, retry_schedule_s=[2.0], max_attempts=60)
        site.sink.rules(**{name: {"mode": "mixed"} for name in channels})
        load = site.load(size.load, size.load_s, channels).start().wait()
        result.measure(drained_s=site.wait_drained(timeout_s=size.pick(600, 150)))
        audit(site, result, load.posts)
        arrivals = site.sink.by_id()
        did = Counter(one.did for group in arrivals.values() for one in group)
        result.measure(**{f"n_{name}": number for name, number in sorted(did.items())})
        result.within("held_s", _longest_attempt(site), HELD_S)
        early = [one for group in arrivals.values() for one in _too_early(group)]
        result.expect(not early, f"earlier than Retry-After: {early[:3]}")
        blocked = _begun_while_blocked(site)
        result.expect(not blocked, f"{len(blocked)} begun on a channel that had asked to wait: {blocked[:3]}")
        needless = [name for name, group in arrivals.items() if _repeated_after_answer(group)]
        result.expect(not needless, f"sent again although the answer had come: {needless[:3]}")


def _too_early(group: list[Arrival]) -> list[tuple[float, str]]:
    """Return the repeats that came before the time the provider had named, and by how many seconds."""
    pairs = pairwise(group)
    return [(a.until - b.at, b.id) for a, b in pairs if a.until is not None and b.at < a.until]


def _begun_while_blocked(site: Site) -> list[tuple[int, float]]:
    """Return the attempts that began after a provider's wish to wait was recorded, and how much too early.

    By the rows, not by the arrivals: what was claimed before may arrive at any time after.
    """
    began, ended = (_seconds(site, f"a.{name}") for name in ("started_at", "finished_at"))
    rows = site.database.rows(
        f"SELECT d.channel, a.delivery_id, a.outcome, a.retry_after_s, {began} AS began, {ended} AS ended"
        f" FROM attempt a JOIN delivery d ON d.id = a.delivery_id ORDER BY {began}"
    )
    holds = [row for row in rows if row.outcome == "rate_limited" and row.retry_after_s]
    return [
        (row.delivery_id, round(hold.ended + hold.retry_after_s - row.began, 2))
        for hold in holds
        for row in rows
        if row.channel == hold.channel and hold.ended < row.began < hold.ended + hold.retry_after_s - CLOSE_S
    ]


def _seconds(site: Site, column: str) -> str:
    if site.database.is_sqlite:
        return f"(julianday({column}) - 2440587.5) * 86400.0"
    return f"CAST(extract(epoch FROM {column}) AS double precision)"


def _repeated_after_answer(group: list[Arrival]) -> bool:
    answered = [place for place, one in enumerate(group) if one.did == "ok"]
    return bool(answered) and any(one.did in EFFECTS for one in group[answered[0] + 1 :])


def _longest_attempt(site: Site) -> float | None:
    took = "(julianday(finished_at) - julianday(started_at)) * 86400.0"
    if not site.database.is_sqlite:
        took = "extract(epoch FROM finished_at - started_at)"
    longest = site.database.number(f"SELECT max({took}) FROM attempt")
    return None if longest is None else float(longest)


def black_hole(result: Result, directory: Path, size: Size) -> None:
    """One channel's provider takes connections and says nothing; urgent messages go to another."""
    queued, urgent = size.pick((1000, 120), (150, 30))
    with Site(directory, result.backend) as site:
        hole = site.channels(retry_schedule_s=[5.0], max_attempts=100)
        healthy = site.channels()
        site.sink.rules(**{hole[0]: {"mode": "hang"}})
        waiting = site.load(queued, queued / 100, hole, name="hole").start().wait()
        # As many as the hole may hold at once. More come only as these give up, and five such failures hold
        # the channel back.
        wait_until(lambda: len(site.sink.arrivals()) >= WORKERS * IN_THE_HOLE, timeout_s=60)
        fast = site.load(urgent, urgent / 4, healthy, name="urgent", priority="urgent").start()
        normal = site.load(urgent // 3, urgent / 4, healthy, name="normal").start()
        fast.wait()
        normal.wait()
        wait_until(lambda: _waits(site, fast) is not None, timeout_s=120)
        waits = _waits(site, fast) or []
        result.within("urgent_p99_s", quantile(waits, 0.99), URGENT_S)
        # Behind a thread in the hole most would wait for as long as a provider may be silent.
        result.at_most("urgent_p50_s", quantile(waits, 0.5), SILENT_S / 2)
        site.sink.rules(**{hole[0]: {"mode": "ok"}})
        result.measure(drained_s=site.wait_drained(timeout_s=size.pick(600, 180)))
        result.measure(normal_p99_s=quantile(_waits(site, normal) or [], 0.99))
        audit(site, result, [*waiting.posts, *fast.posts, *normal.posts])


def _waits(site: Site, load: Load) -> list[float] | None:
    """Return the seconds from acceptance to arrival of each; None until all have arrived."""
    arrived = {name: group[0].at for name, group in site.sink.by_id().items()}
    names = {
        row.notification_id: row.webhook_id
        for row in site.database.rows("SELECT notification_id, webhook_id FROM delivery")
    }
    found = [(post, arrived.get(names.get(post.id, ""))) for post in load.accepted]
    if any(at is None for _, at in found):
        return None
    return [max(0.0, at - post.accepted_at) for post, at in found if at is not None]


def poison(result: Result, directory: Path, size: Size) -> None:
    """A message whose sending ends its worker, every time."""
    with Site(directory, result.backend) as site:
        site.keep_workers(WORKERS)
        channel = site.channels()
        site.sink.rules(**{channel[0]: {"mode": "poison", "delay_s": 0.1}})
        text = sink_process.POISON.decode()
        # What is in flight when the worker dies is as innocent as what comes later.
        neighbours = site.load(40, 1.0, channel, name="neighbour").start()
        wait_until(lambda: len(neighbours.accepted) >= 10, every_s=0.005)
        bad = site.load(1, 0, channel, name="poison", message=f"this {text}").start().wait()
        neighbours.wait()
        good = site.load(size.pick(300, 60), size.pick(60, 30), channel, name="good").start().wait()
        result.measure(drained_s=site.wait_drained(timeout_s=3 * (LEASE_S + 25)))
        kills = sum(one.did == "poison" for one in site.sink.arrivals())
        result.measure(kills=kills)
        result.expect(kills == 3, f"{kills} workers died of it and not 3")
        row = site.database.rows(
            "SELECT state, attempts, crashes FROM delivery WHERE notification_id = :id", id=bad.posts[0].id
        )[0]
        result.expect(tuple(row) == ("dead", 3, 3), f"(state, attempts, crashes) is {tuple(row)}")
        audit(site, result, [*bad.posts, *neighbours.posts, *good.posts], dead_allowed=1)
