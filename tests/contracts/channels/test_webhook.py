"""The webhook: signed the Standard Webhooks way."""

from __future__ import annotations

from base64 import b64encode

import pytest
from standardwebhooks import Webhook

from tests.contracts.channels.cases import message
from tests.support.sink import Answer, Sink
from vabhub.channels.base import OutcomeKind
from vabhub.channels.registry import make
from vabhub.errors import ValidationFailed

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


def test_a_body_of_ones_own_takes_the_place_of_ours(sink: Sink) -> None:
    body = '{"text": {{ (title ~ ": " ~ message)|tojson }}, "n": {{ data.n + 1 }}, "at": "{{ timestamp }}"}'
    channel = make("webhook", {"url": sink.url, "body": body, "secret": OLD})
    outcome = channel.send(message(text='say "hi"\n🎬', data={"n": 6}))
    assert outcome.kind is OutcomeKind.OK
    (request,) = sink.requests
    sent = request.json()
    assert sent["text"] == '下载完成 <1>: say "hi"\n🎬'
    assert (sent["n"], sent["at"]) == (7, "2026-11-23T22:12:27.000000Z")
    assert Webhook(OLD).verify(request.body, dict(request.headers)), "signed as it is"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("{{ title", "line 1"),
        ("{\n{% if title %}", "line 2"),
        ("{{ title|nosuchfilter }}", "nosuchfilter"),
        ("x\ny {{ titel }}", "line 2: 'titel' is undefined"),
    ],
)
def test_a_broken_body_is_refused_with_its_line(body: str, reason: str) -> None:
    with pytest.raises(ValidationFailed) as caught:
        make("webhook", {"url": "http://127.0.0.1:9/", "body": body})
    (error,) = caught.value.errors
    assert error.field == "settings.body"
    assert reason in error.message


@pytest.mark.parametrize(
    "body",
    [
        "{{ data.missing.field }}",
        "{{ 1 / 0 }}",
        "{{ ''.__class__ }}",
        "{% for n in range(999) %}{% for m in range(999) %}{{ m }}{% endfor %}{% endfor %}",
    ],
)
def test_a_body_that_fails_when_it_is_filled_in_gives_way_to_ours_and_says_so(sink: Sink, body: str) -> None:
    outcome = make("webhook", {"url": sink.url, "body": body}).send(message())
    assert outcome.kind is OutcomeKind.OK
    assert "the body's template failed" in outcome.text
    assert sink.requests[0].json()["data"]["title"] == "下载完成 <1>"
