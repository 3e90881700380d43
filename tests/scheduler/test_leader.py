"""Of several schedulers exactly one publishes, and one that lost its lease cannot."""

from __future__ import annotations

import pytest

from scheduler.leader import Leader
from tests.support.waiting import wait_until
from vabhub import redis_client
from vabhub.events import bus
from vabhub.events.topics import Topic
from vabhub.settings import Settings

pytestmark = pytest.mark.usefixtures("redis")


def elected(*, lease_s: float = 5) -> Leader:
    leader = Leader(lease_s=lease_s)
    leader.renew()
    return leader


def test_first_leads_and_second_follows() -> None:
    first, second = elected(), elected()
    assert first.token is not None
    assert second.token is None
    assert not second.may_record


def test_renewal_keeps_the_token() -> None:
    leader = elected()
    token = leader.token
    leader.renew()
    assert leader.token == token


def test_lease_that_ends_goes_to_another_with_a_larger_token() -> None:
    first, second = elected(lease_s=0.3), Leader()
    token = first.token
    assert token is not None

    def takes_over() -> bool:
        second.renew()
        return second.token is not None

    wait_until(takes_over, timeout_s=2)
    assert first.token is None, "it must know without asking that its lease is over"
    assert second.token is not None
    assert second.token > token


def test_stale_leader_cannot_publish() -> None:
    first = elected(lease_s=0.2)
    stale = first.token
    wait_until(lambda: first.token is None, timeout_s=2)
    second = elected()
    assert bus.publish(Topic.SYSTEM, {"from": "second"}, fence=second.token) is not None
    assert bus.publish(Topic.SYSTEM, {"from": "first"}, fence=stale) is None
    last = bus.last(Topic.SYSTEM)
    assert last is not None
    assert last["data"] == {"from": "second"}


def test_resigning_lets_the_next_lead_at_once() -> None:
    first, second = elected(), elected()
    first.resign()
    second.renew()
    assert first.token is None
    assert second.token is not None


def test_token_grows_even_after_redis_was_wiped(settings: Settings) -> None:
    first = elected()
    before = first.token
    redis_client.get_redis().flushall()
    second = elected()
    assert before is not None
    assert second.token is not None
    assert second.token >= before
    first.renew()
    assert first.token is None
