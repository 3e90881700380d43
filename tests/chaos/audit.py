"""Says from the database and the provider's log whether the promise was kept."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from tests.chaos.database import UNFINISHED
from tests.chaos.load import Post
from tests.chaos.result import Result
from tests.chaos.sink import EFFECTS, Arrival
from tests.chaos.site import Site

# As GUARANTEES has them, not as the code has them. Claims raise the epoch by one, nothing else touches it.
LEGAL = frozenset(
    {
        (None, "pending"),
        ("pending", "sending"),
        ("pending", "cancelled"),
        ("retrying", "sending"),
        ("retrying", "cancelled"),
        ("retrying", "delivered"),
        ("sending", "delivered"),
        ("sending", "retrying"),
        ("sending", "dead"),
        ("sending", "cancelled"),
        ("dead", "pending"),
        ("cancelled", "pending"),
    }
)


def audit(site: Site, result: Result, posts: Iterable[Post], *, dead_allowed: int = 0) -> None:
    """Check what is common to all experiments and write it into the result."""
    accepted = [post for post in posts if post.id is not None]
    arrivals = site.sink.by_id()
    deliveries = _deliveries(site)
    lost = _lost(accepted, deliveries, arrivals)
    dead = sum(row.state == "dead" for rows in deliveries.values() for row in rows)
    illegal = moves_that_are_illegal(site)
    without_attempt = _without_attempts(accepted, deliveries, site)
    result.lost = len(lost)
    result.duplicates = duplicates(arrivals)
    result.nonterminal = site.database.unfinished()
    result.illegal = len(illegal)
    result.measure(accepted=len(accepted), dead=dead)
    result.expect(bool(accepted), "nothing was accepted: the experiment has shown nothing")
    result.expect(not lost, f"lost {len(lost)}: {lost[:3]}")
    result.expect(result.nonterminal == 0, f"{result.nonterminal} not at an end: {_unfinished(site)}")
    result.expect(not illegal, f"illegal moves {len(illegal)}: {illegal[:3]}")
    result.expect(not without_attempt, f"without attempts {len(without_attempt)}: {without_attempt[:3]}")
    result.expect(dead <= dead_allowed, f"{dead} dead: {_reasons(site)}")


def duplicates(arrivals: dict[str, list[Arrival]]) -> int:
    """Return how many messages the provider took more than once, each repeat counted."""
    taken = (sum(one.did in EFFECTS for one in group) for group in arrivals.values())
    return sum(max(0, number - 1) for number in taken)


def _deliveries(site: Site) -> dict[int, list[Any]]:
    rows = site.database.rows(
        "SELECT d.id, d.notification_id, d.webhook_id, d.channel, d.state, d.epoch, d.last_error,"
        " n.idempotency_key FROM delivery d JOIN notification n ON n.id = d.notification_id"
    )
    found: dict[int, list[Any]] = defaultdict(list)
    for row in rows:
        found[row.notification_id].append(row)
    return found


def _lost(
    accepted: list[Post], deliveries: dict[int, list[Any]], arrivals: dict[str, list[Arrival]]
) -> list[str]:
    lost = []
    for post in accepted:
        rows = deliveries.get(post.id or 0, [])
        if {row.channel for row in rows} != set(post.body["channels"]):
            lost.append(f"{post.key}: its deliveries are {len(rows)}")
        elif rows[0].idempotency_key != post.key:
            lost.append(f"{post.key}: answered with the id of {rows[0].idempotency_key}")
        lost += [f"{post.key}: {fault}" for row in rows if (fault := _fault(row, arrivals))]
    return lost


def _fault(row: Any, arrivals: dict[str, list[Arrival]]) -> str | None:
    if row.state == "delivered":
        came = any(one.did in EFFECTS for one in arrivals.get(row.webhook_id, []))
        return None if came else "delivered, says the database, but it never arrived"
    if row.state == "dead" and not row.last_error:
        return "dead without a reason"
    return None


def _without_attempts(accepted: list[Post], deliveries: dict[int, list[Any]], site: Site) -> list[str]:
    """An attempt row for every epoch of every delivery, each with its end."""
    rows = site.database.rows(
        "SELECT delivery_id, count(*) AS made, sum(CASE WHEN outcome IS NULL THEN 1 ELSE 0 END) AS open"
        " FROM attempt GROUP BY delivery_id"
    )
    attempts = {row.delivery_id: row for row in rows}
    faults = []
    for post in accepted:
        for row in deliveries.get(post.id or 0, []):
            made = attempts.get(row.id)
            if made is None or made.made != row.epoch or made.open:
                faults.append(f"delivery {row.id} ({row.state}): epoch {row.epoch}, attempts {made}")
    return faults


def moves_that_are_illegal(site: Site) -> list[str]:
    """Return every logged change that the table does not have, or that moved the epoch otherwise."""
    rows = site.database.rows(
        "SELECT delivery_id, old_state, new_state, old_epoch, new_epoch FROM chaos_log ORDER BY number"
    )
    return [
        f"delivery {row.delivery_id}: {row.old_state} → {row.new_state},"
        f" epoch {row.old_epoch} → {row.new_epoch}"
        for row in rows
        if (row.old_state, row.new_state) not in LEGAL or not _epoch_is_right(row)
    ]


def _epoch_is_right(row: Any) -> bool:
    if row.old_state is None:
        return bool(row.new_epoch == 0)
    return bool(row.new_epoch == row.old_epoch + (row.new_state == "sending"))


def _unfinished(site: Site) -> list[str]:
    rows = site.database.rows(
        "SELECT id, state, attempts, crashes, next_attempt_at, lease_until, hint_at, last_error"
        f" FROM delivery WHERE {UNFINISHED} ORDER BY id LIMIT 3"
    )
    return [str(tuple(row)) for row in rows]


def _reasons(site: Site) -> list[str]:
    rows = site.database.rows("SELECT DISTINCT last_error FROM delivery WHERE state = 'dead' LIMIT 3")
    return [str(row[0]) for row in rows]
