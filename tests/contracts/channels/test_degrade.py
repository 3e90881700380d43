"""Degrade, never drop: less of a message where a provider wants less, parts where it is long, none twice."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.contracts.channels.cases import HARD_TEXTS, message
from tests.contracts.channels.providers import PROVIDERS
from tests.support.sink import Answer, Request, Sink
from vabhub.channels import parts, wechat_app
from vabhub.channels.base import Outcome
from vabhub.channels.base import OutcomeKind as Kind
from vabhub.channels.parts import Form, PartedChannel
from vabhub.channels.registry import kinds, make
from vabhub.channels.text import clean

PARTED = sorted(
    kind for kind, channel in kinds().items() if issubclass(channel, PartedChannel) and kind in PROVIDERS
)
PICTURE = "https://example.com/p.jpg"
REFUSE = sorted(kind for kind in PARTED if PROVIDERS[kind].refused is not None)


@pytest.fixture(autouse=True)
def _no_token() -> None:
    wechat_app._tokens.clear()


def _channel(kind: str, sink: Sink) -> PartedChannel:
    channel = make(kind, PROVIDERS[kind].settings(sink.url))
    assert isinstance(channel, PartedChannel)
    return channel


def _play(kind: str, sink: Sink, *script: Answer) -> None:
    provider, left = PROVIDERS[kind], list(script)
    sink.respond = lambda request: provider.before(request) or (left.pop(0) if left else provider.yes)


def _sent(kind: str, sink: Sink) -> list[Request]:
    return [request for request in sink.requests if PROVIDERS[kind].before(request) is None]


@pytest.mark.parametrize("kind", REFUSE)
def test_a_refused_picture_is_left_out(kind: str, sink: Sink) -> None:
    refused = PROVIDERS[kind].refused
    assert refused is not None
    _play(kind, sink, refused)
    outcome = _channel(kind, sink).send(message(image_url=PICTURE))
    first, second = (request.body.decode() for request in _sent(kind, sink))
    assert outcome.kind is Kind.OK
    assert (PICTURE in first) == (kind not in {"feishu", "apprise"})  # they show none by its address
    assert PICTURE not in second
    assert "Dune" in second


@pytest.mark.parametrize("kind", REFUSE)
def test_refused_markup_goes_as_plain_text(kind: str, sink: Sink) -> None:
    refused = PROVIDERS[kind].refused
    assert refused is not None
    _play(kind, sink, refused)
    outcome = _channel(kind, sink).send(message(markdown="**Dune** in markdown"))
    first, second = (request.json() for request in _sent(kind, sink))
    assert outcome.kind is Kind.OK
    assert first != second
    assert "**Dune**" not in json.dumps(second)
    assert "Dune & Dune 2" in json.dumps(second).replace("&amp;", "&").replace("\\\\", "")


@pytest.mark.parametrize("kind", REFUSE)
def test_what_stays_refused_is_said_so(kind: str, sink: Sink) -> None:
    refused = PROVIDERS[kind].refused
    assert refused is not None
    _play(kind, sink, *[refused] * 9)
    outcome = _channel(kind, sink).send(message(markdown="**x**", image_url=PICTURE))
    assert outcome.kind is Kind.PERMANENT_MESSAGE
    assert len(_sent(kind, sink)) <= 3


@pytest.mark.parametrize("number", range(len(HARD_TEXTS)))
@pytest.mark.parametrize("kind", PARTED)
def test_a_hard_text_goes_whole_in_parts_that_fit(kind: str, number: int, sink: Sink) -> None:
    _play(kind, sink)
    channel = _channel(kind, sink)
    sent = message(
        text=HARD_TEXTS[number], title="标题 <b> & _x_ " * 15, link="https://example.com/a?b=1&c=2"
    )
    planned = channel.parts(sent, Form(picture=False, markup=channel.has_markup(sent), size=channel.size))
    measure = type(channel).measure
    for part in planned:
        text = part.text if channel.title_size else part.body()
        assert measure(text) <= channel.size
    whole = "".join("".join(part.text for part in planned).split())
    assert whole.endswith("".join(clean(HARD_TEXTS[number]).split()))
    assert channel.send(sent).kind is Kind.OK
    requests = _sent(kind, sink)
    assert len(requests) == len(planned)
    for request in requests:
        request.json()


@pytest.mark.parametrize("kind", PARTED)
def test_a_retry_sends_only_what_has_not_gone(kind: str, sink: Sink) -> None:
    _play(kind, sink, PROVIDERS[kind].yes, Answer(502, "down"))
    text = "\n".join(f"line {number} of a long text" for number in range(4000))
    failed = _channel(kind, sink).send(message(text=text))
    assert failed.kind is Kind.TRANSIENT
    assert failed.progress is not None
    assert failed.progress["sent"] == 1
    assert _channel(kind, sink).send(message(text=text, progress=failed.progress)).kind is Kind.OK
    bodies = [_stable(request.json()) for request in _sent(kind, sink)]
    assert bodies[1] == bodies[2], "the part that failed is sent again"
    rest = bodies[:1] + bodies[2:]
    assert len(rest) == failed.progress["of"] == len(set(rest))


@pytest.mark.parametrize("kind", PARTED)
def test_parts_wait_for_their_turn(kind: str, sink: Sink) -> None:
    _play(kind, sink)
    turns = iter([0.0, 3.0])
    outcome = _channel(kind, sink).send(message(text="word " * 20_000, turn=lambda: next(turns)))
    assert (outcome.kind, outcome.retry_after_s) == (Kind.PARTLY, 3.0)
    assert outcome.progress is not None
    assert (outcome.progress["sent"], len(_sent(kind, sink))) == (2, 2)


def test_an_attempt_ends_in_time_however_many_parts_there_are(
    sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "BEGIN_WITHIN_S", -1)
    _play("discord", sink)
    outcome = _channel("discord", sink).send(message(text="word " * 2000))
    assert (outcome.kind, outcome.retry_after_s) == (Kind.PARTLY, 0.0)


def test_a_text_that_is_still_too_long_goes_in_smaller_parts(sink: Sink) -> None:
    _play("dingtalk", sink, Answer(200, {"errcode": 460101, "errmsg": "message too long"}))
    outcome = _channel("dingtalk", sink).send(message(text="word " * 3000))
    assert outcome.kind is Kind.OK
    first, *rest = (len(request.body) for request in _sent("dingtalk", sink))
    assert len(rest) == 2
    assert max(rest) < 0.6 * first


def test_a_changed_text_begins_anew(sink: Sink) -> None:
    _play("wechat", sink)
    before = {"sent": 1, "of": 7, "size": 2048, "markup": False, "picture": False}
    outcome: Outcome = _channel("wechat", sink).send(message(progress=before))
    assert (outcome.kind, len(sink.requests)) == (Kind.OK, 1)


@pytest.mark.parametrize("number", range(len(HARD_TEXTS)))
def test_a_webhook_gets_the_whole_text_as_json(number: int, sink: Sink) -> None:
    assert make("webhook", {"url": sink.url}).send(message(text=HARD_TEXTS[number])).kind is Kind.OK
    assert sink.requests[0].json()["data"]["message"] == clean(HARD_TEXTS[number])


def _stable(body: dict[str, Any]) -> str:
    return json.dumps({name: value for name, value in body.items() if name not in {"timestamp", "sign"}})
