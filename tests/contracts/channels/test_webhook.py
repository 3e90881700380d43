"""The webhook: signed the Standard Webhooks way."""

from __future__ import annotations

from base64 import b64encode

import pytest
from standardwebhooks import Webhook

from tests.contracts.channels.cases import message
from tests.support.sink import Answer, Sink
from vabhub.channels.base import OutcomeKind
from vabhub.channels.registry import make

OLD, NEW = (f"whsec_{b64encode(bytes([letter]) * 32).decode()}" for letter in b"ab")


def test_a_receiver_can_verify_the_signature_with_the_library(sink: Sink) -> None:
    make("webhook", {"url": sink.url, "secret": OLD}).send(message())
    (request,) = sink.requests
    body = Webhook(OLD).verify(request.body, dict(request.headers))
    assert request.headers["webhook-id"] == "msg_0123456789"
    assert request.headers["content-type"] == "application/json"
    assert (body["type"], body["timestamp"]) == ("notification", "2026-11-23T22:12:27.000000Z")
    assert body["data"]["message"] == "Dune & Dune 2 — 4K 🎬"


def test_while_a_secret_rotates_both_signatures_go_out(sink: Sink) -> None:
    make("webhook", {"url": sink.url, "secret": f"{NEW} {OLD}"}).send(message())
    (request,) = sink.requests
    for secret in (OLD, NEW):
        assert Webhook(secret).verify(request.body, dict(request.headers))


def test_method_and_headers_are_the_users_and_the_id_is_ours(sink: Sink) -> None:
    channel = make("webhook", {"url": f"{sink.url}/a?b=c", "method": "PUT", "headers": {"X-Key": "1"}})
    channel.send(message())
    (request,) = sink.requests
    assert (request.method, request.path, request.headers["x-key"]) == ("PUT", "/a?b=c", "1")
    assert "webhook-signature" not in request.headers


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (200, OutcomeKind.OK),
        (202, OutcomeKind.OK),
        (400, OutcomeKind.PERMANENT_MESSAGE),
        (401, OutcomeKind.PERMANENT_CHANNEL),
        (403, OutcomeKind.PERMANENT_CHANNEL),
        (404, OutcomeKind.TRANSIENT),
        (408, OutcomeKind.TRANSIENT),
        (410, OutcomeKind.PERMANENT_CHANNEL),
        (413, OutcomeKind.PERMANENT_MESSAGE),
        (422, OutcomeKind.PERMANENT_MESSAGE),
        (429, OutcomeKind.RATE_LIMITED),
        (503, OutcomeKind.TRANSIENT),
    ],
)
def test_a_status_means(sink: Sink, status: int, kind: OutcomeKind) -> None:
    sink.script.append(Answer(status, "why"))
    outcome = make("webhook", {"url": sink.url}).send(message())
    assert (outcome.kind, outcome.provider_status, outcome.text) == (kind, status, "why")


def test_unavailable_with_a_time_is_a_limit(sink: Sink) -> None:
    sink.script.append(Answer(503, "", {"Retry-After": "120"}))
    outcome = make("webhook", {"url": sink.url}).send(message())
    assert (outcome.kind, outcome.retry_after_s) == (OutcomeKind.RATE_LIMITED, 120)


def test_a_yes_whose_body_is_torn_off_is_still_a_yes(sink: Sink) -> None:
    sink.script.append(Answer(200, "half", torn=True))
    assert make("webhook", {"url": sink.url}).send(message()).kind is OutcomeKind.OK
