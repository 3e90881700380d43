"""Rate limits, the circuit breaker, and a slow channel's share of the threads."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from tests.notify.conftest import Desk
from tests.support.sink import Answer, Request, Sink
from vabhub.channels.base import Outcome, OutcomeKind
from vabhub.clock import parse_iso, utcnow
from vabhub.db import reading, transaction
from vabhub.notify import limits, sweep
from vabhub.notify.channels_admin import NewChannel, create_channel, get_channel
from vabhub.notify.claims import claim
from vabhub.notify.limits import Rate
from vabhub.notify.record import finish
from vabhub.notify.send import deliver
from vabhub.notify.slots import Place
from vabhub.notify.states import DeliveryState
from vabhub.redis_client import get_redis


def _channel(name: str = "hook") -> dict[str, Any]:
    with reading() as session:
        return get_channel(session, name)


def _fail(desk: Desk, hook: Sink, times: int) -> list[int]:
    hook.script.extend([Answer(500, "down")] * times)
    ids = [desk.delivery_id(desk.accept("hook")) for _ in range(times)]
    for number in ids:
        deliver(number)
    return ids


def test_a_burst_is_spread_over_the_slots_and_counts_no_attempt(desk: Desk, sink: Sink) -> None:
    desk.channel("slow", sink.url + "/in", rate_per_minute=20)
    ids = [desk.delivery_id(desk.accept("slow")) for _ in range(30)]
    for number in ids:
        deliver(number)
    assert len(sink.requests) == 1
    waiting = [desk.delivery(number) for number in ids[1:]]
    assert {row.attempts for row in waiting} == {0}
    times = sorted(row.next_attempt_at for row in waiting)
    gaps = [(later - one).total_seconds() for one, later in pairwise(times)]
    assert all(2.5 < gap < 4 for gap in gaps), gaps
    assert 80 < (times[-1] - utcnow()).total_seconds() < 90


def test_who_comes_before_its_slot_is_sent_back_to_the_same_slot(redis: None) -> None:
    rate = Rate(60, burst=2)
    assert [limits.wait_s("c", number, rate) for number in (1, 2)] == [0, 0]
    first = limits.wait_s("c", 3, rate)
    assert 0 < first <= 1
    assert 1 < limits.wait_s("c", 4, rate) <= 2
    assert limits.wait_s("c", 3, rate) <= first


def test_without_redis_a_process_counts_for_itself() -> None:
    rate = Rate(60)
    waits = [limits._local_wait_s("alone", number, rate, 100.0) for number in (1, 2, 3)]
    assert waits == [0, 1, 2]
    assert limits._local_wait_s("alone", 2, rate, 101.0) == 0


def test_five_failures_hold_the_channel_and_what_waits_is_not_counted(desk: Desk, hook: Sink) -> None:
    _fail(desk, hook, 5)
    shown = _channel()
    assert (shown["failures"], shown["opened_at"] is not None) == (5, True)
    held = desk.delivery_id(desk.accept("hook"))
    assert deliver(held) is None
    row = desk.delivery(held)
    assert (row.attempts, row.state) == (0, "pending")
    assert timedelta(seconds=20) < row.next_attempt_at - utcnow() <= timedelta(seconds=30)
    assert len(hook.requests) == 5


def test_one_probe_at_a_time_and_its_success_lets_the_rest_go(desk: Desk, hook: Sink) -> None:
    _fail(desk, hook, 5)
    ids = [desk.delivery_id(desk.accept("hook")) for _ in range(3)]
    assert deliver(ids[2]) is None
    _hold_is_over(desk)
    for number in ids:
        desk.age(number, next_attempt_at=timedelta(minutes=1))
    probe = claim(ids[0], "w")
    assert probe is not None
    assert claim(ids[1], "w") is None
    assert desk.delivery(ids[1]).attempts == 0

    _hold_is_over(desk)  # as if that worker had died
    desk.age(ids[1], next_attempt_at=timedelta(minutes=2))
    assert deliver(ids[1]) is DeliveryState.DELIVERED
    assert (_channel()["failures"], _channel()["opened_at"], _channel()["blocked_until"]) == (0, None, None)
    assert desk.delivery(ids[2]).next_attempt_at <= utcnow()


def test_a_failed_probe_holds_it_for_longer(desk: Desk, hook: Sink) -> None:
    _fail(desk, hook, 5)
    _hold_is_over(desk)
    (number,) = _fail(desk, hook, 1)
    assert desk.delivery(number).attempts == 1
    assert _channel()["failures"] == 6


def test_what_was_under_way_when_it_was_held_does_not_hold_it_for_longer(desk: Desk, hook: Sink) -> None:
    ids = [desk.delivery_id(desk.accept("hook")) for _ in range(9)]
    claims = [claim(number, "worker") for number in ids]
    for claimed in claims:
        assert claimed is not None
        finish(claimed, Outcome(OutcomeKind.TRANSIENT, "down"))
    held_s = (parse_iso(_channel()["blocked_until"]) - utcnow()).total_seconds()
    assert 25 < held_s <= 30
    _hold_is_over(desk)
    _fail(desk, hook, 1)
    held_s = (parse_iso(_channel()["blocked_until"]) - utcnow()).total_seconds()
    assert 55 < held_s <= 60


def test_a_slow_channel_gets_half_of_the_threads(desk: Desk, hook: Sink) -> None:
    places = [Place() for _ in range(4)]
    assert all(place.take("hook", 2) for place in places)
    number = desk.delivery_id(desk.accept("hook"))
    assert deliver(number) is None
    assert desk.delivery(number).attempts == 0
    urgent = desk.delivery_id(desk.accept("hook", priority="urgent"))
    assert deliver(urgent) is DeliveryState.DELIVERED
    for place in places:
        place.__exit__(None, None, None)
    desk.age(number, next_attempt_at=timedelta(minutes=1))
    assert deliver(number) is DeliveryState.DELIVERED


def _hold_is_over(desk: Desk) -> None:
    from sqlalchemy import update

    from vabhub.db import transaction
    from vabhub.models import Channel

    with transaction() as session:
        past = utcnow() - timedelta(seconds=1)
        session.execute(update(Channel).where(Channel.name == "hook").values(blocked_until=past))


def test_the_parts_of_a_long_message_wait_for_their_turns_without_counting_attempts(
    desk: Desk, sink: Sink
) -> None:
    sink.respond = lambda _request: Answer(200, {"errcode": 0, "errmsg": "ok"})
    settings = {"key": "0123456789abcdef", "base_url": sink.url}
    with transaction() as session:
        body = NewChannel(name="bot", kind="wechat", settings=settings, rate_per_minute=6, burst=2)
        create_channel(session, body)
    number = desk.delivery_id(desk.accept("bot", message="一二三四五。" * 300))
    assert deliver(number) is DeliveryState.RETRYING
    row = desk.delivery(number)
    assert (row.attempts, len(sink.requests)) == (0, 2)
    assert timedelta(seconds=5) < row.next_attempt_at - utcnow() <= timedelta(seconds=10)
    assert [attempt.outcome for attempt in desk.attempts(number)] == ["partly"]

    get_redis().flushall()  # as if that time had gone by
    desk.age(number, next_attempt_at=timedelta(minutes=1))
    assert deliver(number) is DeliveryState.DELIVERED
    contents = [request.json()["text"]["content"] for request in sink.requests]
    assert [content.split("\n")[0] for content in contents] == [f"Hello ({n}/3)" for n in (1, 2, 3)]
    assert _channel("bot")["failures"] == 0


@pytest.mark.parametrize("rate", [Rate(20), Rate(16, burst=5)], ids=["20 a minute", "16 and a burst of 5"])
def test_two_workers_never_send_more_than_20_in_any_minute(redis: None, rate: Rate) -> None:
    """A burst of 200, by a clock of the test's own: ten minutes pass in a second or two."""
    sent_at = _drain(list(range(200)), rate, seed=len(str(rate)))
    assert len(sent_at) == 200, "none is dropped"
    for begin in sent_at:
        assert sum(begin <= moment < begin + 60 for moment in sent_at) <= 20
    took_s = max(sent_at) - min(sent_at)
    assert took_s < 1.25 * 200 * rate.step_s, "and lateness costs little"


def _drain(waiting: list[int], rate: Rate, *, seed: int) -> list[float]:
    """Let two workers take what is due, each late by up to 2 s, until nothing waits; return the times."""
    chance, sent_at, now = random.Random(seed), [], 1_000_000.0
    due = dict.fromkeys(waiting, now)

    def ask(number: int) -> tuple[int, float]:
        return number, limits.wait_s("shared", number, rate, now_s=now)

    with ThreadPoolExecutor(2) as workers:
        while due:
            now = max(now, min(due.values())) + chance.choice((0.0, 0.0, chance.uniform(0, 2)))
            batch = [number for number, at in due.items() if at <= now]
            for number, wait_s in workers.map(ask, batch):
                if wait_s == 0:
                    del due[number]
                    sent_at.append(now)
                else:
                    due[number] = now + wait_s
    return sent_at


def test_a_worker_that_dies_between_two_parts_does_not_have_the_first_sent_again(
    desk: Desk, sink: Sink
) -> None:
    with transaction() as session:
        settings = {"key": "0123456789abcdef", "base_url": sink.url}
        body = NewChannel(name="bot", kind="wechat", settings=settings, rate_per_minute=6000, burst=100)
        create_channel(session, body)
    number = desk.delivery_id(desk.accept("bot", message="一二三四五。" * 300))

    def die_on_the_second(request: Request) -> Answer:
        if len(sink.requests) == 2:
            desk.age(number, lease_until=timedelta(minutes=1))
            sweep.sweep_once()  # takes it back, as from a worker that is gone
        return Answer(200, {"errcode": 0, "errmsg": "ok"}) if len(sink.requests) != 2 else Answer(500, "x")

    sink.respond = die_on_the_second
    assert deliver(number) is None, "its lease was lost"
    desk.age(number, next_attempt_at=timedelta(minutes=10))
    assert deliver(number) is DeliveryState.DELIVERED
    firsts = [request.json()["text"]["content"].split("\n")[0] for request in sink.requests]
    assert firsts == ["Hello (1/3)", "Hello (2/3)", "Hello (2/3)", "Hello (3/3)"]
