"""When the next attempt is made."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from tests.notify.conftest import Desk
from tests.support.sink import Answer, Sink
from vabhub.db import reading
from vabhub.models import Channel
from vabhub.notify.retry import SCHEDULE_S, RetryPlan
from vabhub.notify.send import deliver
from vabhub.notify.states import DeliveryState

HOUR = 3600


def test_the_schedule_is_that_of_standard_webhooks() -> None:
    waits = [RetryPlan().wait(attempt, luck=0.5) for attempt in range(1, 11)]
    hours = (2, 5, 10, 14, 20, 24)
    expected: list[float] = [5, 5 * 60, 30 * 60, *(hour * HOUR for hour in hours)]
    assert waits == [timedelta(seconds=seconds) for seconds in expected] + [None]


@given(some.integers(1, 9), some.floats(0, 1), some.floats(0, 200_000))
def test_a_wait_is_within_20_percent_never_below_retry_after_never_above_a_day(
    attempt: int, luck: float, retry_after_s: float
) -> None:
    found = RetryPlan().wait(attempt, retry_after_s, luck=luck)
    assert found is not None
    seconds, planned = found.total_seconds(), SCHEDULE_S[attempt - 1]
    assert seconds >= min(max(0.8 * planned, retry_after_s), 86400) - 1e-5
    assert seconds <= min(max(1.2 * planned, retry_after_s), 86400) + 1e-5


def test_a_channel_may_have_its_own_schedule_and_limit() -> None:
    assert RetryPlan([1, 2]).wait(2, luck=0.5) == timedelta(seconds=2)
    assert RetryPlan([1, 2]).wait(3) is None
    assert RetryPlan([1, 2], max_attempts=5).wait(4, luck=0.5) == timedelta(seconds=2)
    assert RetryPlan(max_attempts=1).wait(1) is None


def test_after_the_last_attempt_a_delivery_is_dead(desk: Desk, sink: Sink) -> None:
    desk.channel("short", sink.url, max_attempts=2, retry_schedule_s=[0])
    sink.respond = lambda _request: Answer(502, "bad gateway")
    accepted = desk.accept("short")
    delivery_id = desk.delivery_id(accepted)
    assert deliver(delivery_id) is DeliveryState.RETRYING
    assert deliver(delivery_id) is DeliveryState.DEAD
    assert desk.notification(accepted.id).status == "failed"
    assert desk.delivery(delivery_id).last_error == "bad gateway"


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_holds_the_delivery_and_its_channel(desk: Desk, hook: Sink, status: int) -> None:
    hook.script.append(Answer(status, "slow down", {"Retry-After": "700"}))
    first, second = (desk.delivery_id(desk.accept("hook")) for _ in range(2))
    assert deliver(first) is DeliveryState.RETRYING
    (attempt,) = desk.attempts(first)
    assert attempt.retry_after_s == 700
    assert attempt.next_attempt_at is not None
    assert attempt.finished_at is not None
    assert attempt.next_attempt_at - attempt.finished_at >= timedelta(seconds=700)

    assert deliver(second) is None, "the channel is held too"
    waiting = desk.delivery(second)
    assert (waiting.attempts, waiting.state) == (0, "pending")
    with reading() as session:
        assert session.query(Channel.blocked_until).filter_by(name="hook").scalar() == waiting.next_attempt_at
    assert len(hook.requests) == 1
