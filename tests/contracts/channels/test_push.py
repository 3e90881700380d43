"""Web Push: only the browser can read it, it is kept while the browser is away, dead ones are forgotten."""

from __future__ import annotations

import json
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import http_ece
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from py_vapid import Vapid02

from tests.contracts.channels.cases import HARD_TEXTS, message
from tests.support.sink import Answer, Request, Sink
from vabhub.channels import push, subscriptions
from vabhub.channels.base import Outcome
from vabhub.channels.base import OutcomeKind as Kind
from vabhub.channels.registry import make
from vabhub.channels.text import clean
from vabhub.db import reading, transaction
from vabhub.models import PushKey, PushSubscription
from vabhub.settings import Settings


@pytest.fixture(autouse=True)
def _database(sqlite: Settings) -> None:
    """Browsers are kept in the database."""


class Browser:
    """A browser with keys of its own, subscribed at the sink under a name."""

    def __init__(self, sink: Sink, name: str) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.auth = name.encode().ljust(16, b"-")
        self.path = f"/push/{name}"
        point = self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        with transaction() as session:
            self.id = subscriptions.subscribe(
                session,
                endpoint=sink.url + self.path,
                p256dh=_text(point),
                auth=_text(self.auth),
                owner="ada",
                browser=name,
            )

    def read(self, request: Request) -> dict[str, Any]:
        """Return what a push says, as the browser hands it to the service worker."""
        plain = http_ece.decrypt(
            request.body, private_key=self.key, auth_secret=self.auth, version="aes128gcm"
        )
        found: dict[str, Any] = json.loads(plain)
        return found


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")


def _send(**changes: Any) -> Outcome:
    return make("push", {"contact": "mailto:ada@example.org"}).send(message(**changes))


def _browsers() -> list[str]:
    with reading() as session:
        return [row["browser"] for row in subscriptions.listed(session)]


def test_the_browser_can_read_it_and_nobody_else(sink: Sink) -> None:
    browser = Browser(sink, "one")
    sink.script.append(Answer(201, b""))
    assert _send(link="https://example.org/a").kind is Kind.OK
    (request,) = sink.requests
    shown = browser.read(request)
    assert (shown["title"], shown["body"]) == ("下载完成 <1>", "Dune & Dune 2 — 4K 🎬")
    assert (shown["url"], shown["id"]) == ("https://example.org/a", "msg_0123456789")
    assert b"Dune" not in request.body
    assert request.headers["content-encoding"] == "aes128gcm"
    assert request.headers["ttl"] == "28800"
    assert len(request.headers["topic"]) == 32


def test_it_is_signed_with_this_installations_key(sink: Sink) -> None:
    Browser(sink, "one")
    _send()
    signed = sink.requests[0].headers["authorization"]
    assert Vapid02.verify(signed)
    assert signed.endswith(f"k={subscriptions.public_key()}")
    token = signed.removeprefix("vapid t=").split(",")[0]
    claims = json.loads(urlsafe_b64decode(token.split(".")[1] + "=="))
    assert claims["aud"] == sink.url
    assert claims["sub"] == "mailto:ada@example.org"
    assert 0 < claims["exp"] - time.time() < 24 * 3600


def test_the_key_pair_is_made_once_and_lies_sealed() -> None:
    with ThreadPoolExecutor(4) as threads:
        keys = set(threads.map(lambda _number: subscriptions.public_key(), range(8)))
    assert len(keys) == 1
    assert len(subscriptions.key_bytes(keys.pop())) == 65
    with reading() as session:
        stored = session.get_one(PushKey, 1).sealed_private_key
    assert "PRIVATE" not in stored


def test_a_browsers_address_lies_sealed(sink: Sink) -> None:
    Browser(sink, "one")
    with reading() as session:
        row = session.query(PushSubscription).one()
        assert sink.url not in f"{row.sealed} {row.endpoint_hash}"


@pytest.mark.parametrize("status", [404, 410])
def test_a_browser_that_is_gone_is_forgotten(sink: Sink, status: int) -> None:
    _first, _second = Browser(sink, "gone"), Browser(sink, "here")
    sink.respond = lambda request: Answer(status if "gone" in request.path else 201, b"")
    assert _send().kind is Kind.OK
    assert _browsers() == ["here"]


def test_without_a_browser_nothing_was_sent_and_it_says_so(sink: Sink) -> None:
    outcome = _send()
    assert (outcome.kind, outcome.text) == (Kind.PERMANENT_MESSAGE, "no browser is subscribed")
    Browser(sink, "gone")
    sink.script.append(Answer(410, b""))
    assert _send().kind is Kind.PERMANENT_MESSAGE
    assert _browsers() == []


def test_a_retry_reaches_only_the_browsers_left_out(sink: Sink) -> None:
    first, second = Browser(sink, "quick"), Browser(sink, "busy")
    sink.respond = lambda request: Answer(201, b"") if "quick" in request.path else Answer(503, "busy")
    failed = _send()
    assert (failed.kind, failed.progress) == (Kind.TRANSIENT, {"browsers": [first.id]})
    sink.respond = None
    done = _send(progress=failed.progress)
    assert (done.kind, done.progress) == (Kind.OK, {"browsers": [first.id, second.id]})
    assert [request.path for request in sink.requests] == [first.path, second.path, second.path]


def test_what_is_refused_as_too_large_goes_shorter(sink: Sink) -> None:
    browser = Browser(sink, "one")
    sink.script.append(Answer(413, "too large"))
    assert _send(text="界" * 10_000).kind is Kind.OK
    first, second = (browser.read(request)["body"] for request in sink.requests)
    assert len(first) > 2 * len(second)
    assert second.endswith("界…")


@pytest.mark.parametrize("text", HARD_TEXTS, ids=range(len(HARD_TEXTS)))
def test_a_hard_text_fits_into_one_push(sink: Sink, text: str) -> None:
    browser = Browser(sink, "one")
    assert _send(text=text, title="标题" * 127).kind is Kind.OK
    (request,) = sink.requests
    assert len(request.body) <= 4096
    body = browser.read(request)["body"]
    assert clean(text).startswith(body.removesuffix("…"))
    assert len(push.payload(message(text=text), push.PAYLOAD_BYTES)) <= push.PAYLOAD_BYTES


def test_an_attempt_ends_in_time_however_many_browsers_there_are(
    sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(push, "BEGIN_WITHIN_S", -1)
    Browser(sink, "one")
    assert _send().kind is Kind.PARTLY


def test_a_key_that_was_lost_is_said_so(sink: Sink) -> None:
    Browser(sink, "one")
    with transaction() as session:
        session.query(PushSubscription).update({"sealed": "gAAAAABnothing"})
    outcome = _send()
    assert outcome.kind is Kind.PERMANENT_CHANNEL
    assert "SECRET_KEY" in outcome.text
    assert sink.requests == []


def test_the_oldest_browser_makes_room(sink: Sink, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscriptions, "MOST", 2)
    for name in ("first", "second", "third", "third"):
        Browser(sink, name)
    assert _browsers() == ["second", "third"]
