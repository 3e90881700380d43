"""One suite for every channel that speaks HTTP: what an answer means, and what no answer means."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest

from tests.contracts.channels.cases import message
from tests.support.ports import free_port
from tests.support.sink import Answer, Sink
from vabhub.channels import bounded, http
from vabhub.channels.base import Channel, OutcomeKind
from vabhub.channels.registry import make

TOKEN = "123456:abcdefghijklmnopqrst"


@dataclass(frozen=True)
class Case:
    """How to make the channel talk to an address, and how its provider says yes."""

    at: Callable[[str], Channel]
    yes: Answer
    refused_credential: Answer
    too_many: Callable[[int], Answer]


def _webhook(url: str) -> Channel:
    return make("webhook", {"url": f"{url}/in"})


def _telegram(url: str) -> Channel:
    return make("telegram", {"bot_token": TOKEN, "chat_id": "42", "base_url": url})


def _no(code: int, description: str, **parameters: Any) -> Answer:
    body = {"ok": False, "error_code": code, "description": description, "parameters": parameters}
    return Answer(code, body)


CASES = {
    "webhook": Case(
        _webhook,
        Answer(204, b""),
        Answer(401, "who?"),
        lambda seconds: Answer(429, "slow", {"Retry-After": str(seconds)}),
    ),
    "telegram": Case(
        _telegram,
        Answer(200, {"ok": True, "result": {}}),
        _no(401, "Unauthorized"),
        lambda seconds: _no(429, "Too Many Requests", retry_after=seconds),
    ),
}


@pytest.fixture(params=sorted(CASES))
def case(request: pytest.FixtureRequest) -> Case:
    return CASES[request.param]


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Short time-outs, so that a silent provider is found out in a test's time."""
    monkeypatch.setattr(http, "TOTAL_S", 1.0)
    monkeypatch.setattr(http.client(), "timeout", httpx.Timeout(0.5))


def test_success_is_the_providers_own_signal(case: Case, sink: Sink) -> None:
    sink.script.append(case.yes)
    outcome = case.at(sink.url).send(message())
    assert outcome.kind is OutcomeKind.OK
    assert len(sink.requests) == 1


def test_too_many_requests_says_until_when(case: Case, sink: Sink) -> None:
    sink.script.append(case.too_many(7))
    outcome = case.at(sink.url).send(message())
    assert (outcome.kind, outcome.retry_after_s) == (OutcomeKind.RATE_LIMITED, 7)


def test_a_server_error_is_transient(case: Case, sink: Sink) -> None:
    for status in (500, 502, 503, 504):
        sink.script.append(Answer(status, "oops"))
        outcome = case.at(sink.url).send(message())
        assert (outcome.kind, outcome.provider_status) == (OutcomeKind.TRANSIENT, status)


def test_a_refused_credential_is_the_channels_fault(case: Case, sink: Sink) -> None:
    sink.script.append(case.refused_credential)
    assert case.at(sink.url).send(message()).kind is OutcomeKind.PERMANENT_CHANNEL


def test_a_redirect_is_not_followed_and_says_where_to(case: Case, sink: Sink) -> None:
    sink.script.append(Answer(307, b"", {"Location": f"{sink.url}/elsewhere"}))
    outcome = case.at(sink.url).send(message())
    assert outcome.kind is OutcomeKind.PERMANENT_CHANNEL
    assert "/elsewhere" in outcome.text
    assert len(sink.requests) == 1


def test_a_refused_connection_never_left(case: Case) -> None:
    assert case.at(f"http://127.0.0.1:{free_port()}").send(message()).kind is OutcomeKind.TRANSIENT


def test_a_name_that_does_not_resolve_never_left(case: Case) -> None:
    assert case.at("http://nowhere.invalid").send(message()).kind is OutcomeKind.TRANSIENT


def test_no_answer_leaves_it_open_whether_it_arrived(case: Case, sink: Sink, quick: None) -> None:
    sink.script.append(Answer(hang=True))
    assert case.at(sink.url).send(message()).kind is OutcomeKind.UNCERTAIN


def test_a_connection_cut_before_the_answer_leaves_it_open(case: Case, sink: Sink) -> None:
    sink.script.append(Answer(reset=True))
    assert case.at(sink.url).send(message()).kind is OutcomeKind.UNCERTAIN


def test_an_oversized_answer_is_read_to_64_kb(case: Case, sink: Sink) -> None:
    sink.script.append(Answer(500, b"x" * 5_000_000))
    outcome = case.at(sink.url).send(message())
    assert outcome.kind is OutcomeKind.TRANSIENT
    assert len(outcome.text) == http.MAX_ANSWER_BYTES


def test_a_byte_at_a_time_is_cut_off_in_time(case: Case, quick: None) -> None:
    with _dripping() as url:
        started = time.monotonic()
        outcome = case.at(url).send(message())
    assert outcome.kind is OutcomeKind.UNCERTAIN
    assert time.monotonic() - started < 3


def test_a_torn_answer_keeps_its_status(case: Case, sink: Sink) -> None:
    sink.script.append(Answer(500, "half", torn=True))
    outcome = case.at(sink.url).send(message())
    assert (outcome.kind, outcome.text) == (OutcomeKind.TRANSIENT, "half")


def test_connections_are_kept_for_the_next_message(case: Case, sink: Sink) -> None:
    peers: set[Any] = set()
    sink.respond = lambda request: peers.add(request.headers.get("connection")) or case.yes
    for _ in range(3):
        case.at(sink.url).send(message())
    assert peers == {"keep-alive"}


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


@contextmanager
def _dripping() -> Iterator[str]:
    """A server that answers one byte of its headers every 50 ms, for ever."""
    over = threading.Event()

    def serve(listener: socket.socket) -> None:
        line, _ = listener.accept()
        with line:
            line.recv(65536)
            for byte in b"HTTP/1.1 200 OK\r\n" + b"X-Filler: 1\r\n" * 1000:
                try:
                    line.send(bytes([byte]))
                except OSError:
                    return
                if over.wait(0.05):
                    return

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=[listener])
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        over.set()
        thread.join(timeout=10)
