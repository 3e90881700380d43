"""The table of moves and what the deliveries of a notification come to."""

from __future__ import annotations

import itertools

import pytest

from vabhub.db import transaction
from vabhub.notify import states
from vabhub.notify.states import FINAL, MOVES, DeliveryState, NotificationStatus, derive_status
from vabhub.settings import Settings

P, S, R, D, X, C = (
    DeliveryState.PENDING,
    DeliveryState.SENDING,
    DeliveryState.RETRYING,
    DeliveryState.DELIVERED,
    DeliveryState.DEAD,
    DeliveryState.CANCELLED,
)
# Written out a second time on purpose: the promise, not the code.
PROMISED = {(P, S), (P, C), (R, S), (R, C), (R, D), (S, D), (S, R), (S, X), (S, C), (X, P), (C, P)}


def test_the_moves_are_those_that_were_promised() -> None:
    assert {(source, target) for source, targets in MOVES.items() for target in targets} == PROMISED


@pytest.mark.parametrize(
    ("source", "target"), sorted(set(itertools.product(DeliveryState, repeat=2)) - PROMISED)
)
def test_any_other_move_raises(sqlite: Settings, source: DeliveryState, target: DeliveryState) -> None:
    with transaction() as session, pytest.raises(states.IllegalMove):
        states.move(session, {source}, target)


@pytest.mark.parametrize(
    ("found", "status"),
    [
        ([P], "pending"),
        ([P, P], "pending"),
        ([S], "sending"),
        ([R], "sending"),
        ([P, D], "sending"),
        ([D, R], "sending"),
        ([D], "sent"),
        ([D, D], "sent"),
        ([D, X], "partial"),
        ([D, C], "partial"),
        ([X], "failed"),
        ([X, C], "failed"),
        ([C, C], "cancelled"),
    ],
)
def test_a_status_follows_from_the_deliveries(found: list[DeliveryState], status: str) -> None:
    assert derive_status(found) == status


def test_a_status_is_final_exactly_when_every_delivery_is() -> None:
    for count in (1, 2, 3):
        for found in itertools.combinations_with_replacement(DeliveryState, count):
            final = derive_status(found) not in {NotificationStatus.PENDING, NotificationStatus.SENDING}
            assert final == (set(found) <= FINAL), found
