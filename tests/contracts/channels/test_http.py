"""The client that all channels share."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest

from tests.support.sink import Answer, Sink
from vabhub.channels import bounded, http
from vabhub.channels.base import OutcomeKind


def test_connections_are_kept_for_the_next_message(sink: Sink) -> None:
    for _ in range(3):
        http.post_json(sink.url, {})
    assert {request.headers["connection"] for request in sink.requests} == {"keep-alive"}


def test_an_answer_is_read_to_64_kb(sink: Sink) -> None:
    sink.script.append(Answer(500, b"x" * 5_000_000))
    answer = http.post_json(sink.url, {})
    assert isinstance(answer, http.Answer)
    assert len(answer.text) == http.MAX_ANSWER_BYTES


def test_retry_after_may_be_a_date_of_the_servers_clock(sink: Sink) -> None:
    server_now = datetime.now(UTC) + timedelta(hours=5)
    headers = {"Retry-After": format_datetime(server_now + timedelta(seconds=90), usegmt=True)}
    for date, expected in ((format_datetime(server_now, usegmt=True), 90), (None, 5 * 3600 + 90)):
        found = httpx.Headers(headers | ({"Date": date} if date else {}))
        wait_s = http.retry_after_s(http.Answer(429, found, ""))
        assert wait_s is not None
        assert abs(wait_s - expected) < 3


@pytest.mark.parametrize("value", ["", "soon", "-5", "Mon, 99 Foo 2026 00:00:00 GMT"])
def test_a_retry_after_that_makes_no_sense_is_none(value: str) -> None:
    assert http.retry_after_s(http.Answer(429, httpx.Headers({"Retry-After": value}), "")) is None


def test_an_address_that_cannot_be_called_is_the_channels_fault() -> None:
    outcome = http.request("POST", "http://bad host/")
    assert isinstance(outcome, http.Outcome)
    assert outcome.kind in {OutcomeKind.PERMANENT_CHANNEL, OutcomeKind.TRANSIENT}


def test_the_time_limit_is_this_exchanges_alone() -> None:
    assert bounded.deadline.get() is None
