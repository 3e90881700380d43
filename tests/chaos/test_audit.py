"""The audit itself: a harness that sees nothing would pass everything."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from tests.chaos.audit import duplicates, moves_that_are_illegal
from tests.chaos.database import Database
from tests.chaos.sink import Arrival
from tests.chaos.site import Site
from vabhub.db import transaction
from vabhub.notify.accept import NewNotification, accept
from vabhub.settings import Settings


@pytest.fixture
def watched(database: Settings) -> Database:
    """A database with one pending delivery, watched from before it was made."""
    watching = Database(database.database_url)
    watching.watch()
    with transaction() as session:
        accept(session, NewNotification(title="t", message="m"), source="test")
    return watching


def illegal(database: Database) -> list[str]:
    return moves_that_are_illegal(cast(Site, SimpleNamespace(database=database)))


@pytest.mark.parametrize(
    ("change", "legal"),
    [
        ("state = 'sending', epoch = epoch + 1", True),
        ("state = 'cancelled'", True),
        ("state = 'sending'", False),
        ("state = 'sending', epoch = epoch + 2", False),
        ("state = 'delivered'", False),
        ("state = 'dead'", False),
        ("epoch = epoch + 1", False),
    ],
)
def test_every_change_of_state_is_seen_and_judged(watched: Database, change: str, legal: bool) -> None:
    assert illegal(watched) == []
    watched.execute(f"UPDATE delivery SET {change}")
    assert (illegal(watched) == []) is legal


def test_a_delivery_that_vanishes_is_seen(watched: Database) -> None:
    watched.execute("DELETE FROM delivery")
    assert illegal(watched)


def test_only_what_the_provider_took_twice_is_a_duplicate() -> None:
    def came(*did: str) -> list[Arrival]:
        return [Arrival(at=float(number), id="x", path="c", did=one) for number, one in enumerate(did)]

    seen: dict[str, list[Any]] = {
        "retried": came("500", "429", "ok"),
        "answer lost": came("reset", "ok"),
        "three times": came("ok", "ok", "ok"),
    }
    assert duplicates(seen) == 3
