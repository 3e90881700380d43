"""Telegram: escaping, repairs, limits, and what its errors mean."""

from __future__ import annotations

from html import unescape
from typing import Any

import pytest

from tests.contracts.channels.cases import message
from tests.support.sink import Answer, Sink
from vabhub.channels.base import Outcome, OutcomeKind
from vabhub.channels.registry import make
from vabhub.channels.text import utf16_units

TOKEN = "123456:abcdefghijklmnopqrst"
YES = Answer(200, {"ok": True, "result": {"message_id": 1}})


def _no(code: int, description: str, **parameters: Any) -> Answer:
    body = {"ok": False, "error_code": code, "description": description, "parameters": parameters}
    return Answer(code, body)


def _send(sink: Sink, *answers: Answer, **changes: Any) -> Outcome:
    sink.script.extend(answers or [YES])
    channel = make("telegram", {"bot_token": TOKEN, "chat_id": -1001, "base_url": sink.url + "/"})
    return channel.send(message(**changes))


def test_html_is_escaped(sink: Sink) -> None:
    assert _send(sink, link="https://example.com/?a=1&b=2").kind is OutcomeKind.OK
    (request,) = sink.requests
    assert request.path == f"/bot{TOKEN}/sendMessage"
    body = request.json()
    assert (body["chat_id"], body["parse_mode"]) == ("-1001", "HTML")
    expected = "<b>下载完成 &lt;1&gt;</b>\n\nDune &amp; Dune 2 — 4K 🎬\n\nhttps://example.com/?a=1&amp;b=2"
    assert body["text"] == expected


def test_what_cannot_be_parsed_goes_as_plain_text(sink: Sink) -> None:
    outcome = _send(sink, _no(400, "Bad Request: can't parse entities: byte offset 3"), YES)
    assert outcome.kind is OutcomeKind.OK
    plain = sink.requests[1].json()
    assert "parse_mode" not in plain
    assert plain["text"].startswith("下载完成 <1>\n\nDune & Dune 2")


def test_a_migrated_chat_is_followed_and_remembered(sink: Sink) -> None:
    moved = _no(400, "Bad Request: group chat was upgraded", migrate_to_chat_id=-100200300)
    outcome = _send(sink, moved, YES)
    assert outcome.kind is OutcomeKind.OK
    assert outcome.settings_update == {"chat_id": "-100200300"}
    assert sink.requests[1].json()["chat_id"] == "-100200300"


def test_a_picture_goes_with_its_text_and_is_left_out_when_refused(sink: Sink) -> None:
    wrong = _no(400, "Bad Request: wrong file identifier/HTTP URL specified")
    outcome = _send(sink, wrong, YES, image_url="https://example.com/p.jpg")
    assert outcome.kind is OutcomeKind.OK
    first, second = sink.requests
    assert first.path.endswith("/sendPhoto")
    assert first.json()["photo"] == "https://example.com/p.jpg"
    assert second.path.endswith("/sendMessage")


def test_a_text_too_long_for_a_caption_goes_without_the_picture(sink: Sink) -> None:
    _send(sink, text="x" * 1100, image_url="https://example.com/p.jpg")
    assert sink.requests[0].path.endswith("/sendMessage")


@pytest.mark.parametrize("text", ["x" * 65536, "🎬" * 16000, "&" * 20000, "界" * 21845])
def test_a_long_text_goes_in_parts_of_4096_units_without_tearing_anything(sink: Sink, text: str) -> None:
    sink.respond = lambda _request: YES
    assert _send(sink, text=text, link="https://example.com/").kind is OutcomeKind.OK
    parts = [request.json()["text"] for request in sink.requests]
    for sent in parts:
        shown = unescape(sent).replace("<b>", "").replace("</b>", "")
        assert utf16_units(shown) <= 4096
        assert "&" not in sent.replace("&amp;", "").replace("&lt;", "").replace("&gt;", "")
    assert parts[-1].endswith("\n\nhttps://example.com/")
    assert parts[1].startswith(f"<b>下载完成 &lt;1&gt; (2/{len(parts)})</b>\n\n")
    assert "".join(unescape(sent).split("\n\n")[1] for sent in parts) == text


def test_a_repair_that_does_not_help_ends(sink: Sink) -> None:
    sink.respond = lambda _request: _no(400, "Bad Request: can't parse entities")
    assert _send(sink).kind is OutcomeKind.PERMANENT_MESSAGE
    assert len(sink.requests) == 2


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (_no(401, "Unauthorized"), OutcomeKind.PERMANENT_CHANNEL),
        (_no(404, "Not Found"), OutcomeKind.PERMANENT_CHANNEL),
        (_no(403, "Forbidden: bot was blocked by the user"), OutcomeKind.PERMANENT_CHANNEL),
        (_no(403, "Forbidden: bot was kicked from the supergroup chat"), OutcomeKind.PERMANENT_CHANNEL),
        (_no(400, "Bad Request: chat not found"), OutcomeKind.PERMANENT_CHANNEL),
        (_no(400, "Bad Request: message text is empty"), OutcomeKind.PERMANENT_MESSAGE),
        (_no(500, "Internal Server Error"), OutcomeKind.TRANSIENT),
        (Answer(404, "<html>no such proxy"), OutcomeKind.TRANSIENT),
        (Answer(200, "<html>sign in to the hotel's network"), OutcomeKind.UNCERTAIN),
        (Answer(200, '{"ok": tr', torn=True), OutcomeKind.UNCERTAIN),
        (Answer(200, {"ok": False, "error_code": 500, "description": "x"}), OutcomeKind.TRANSIENT),
        (Answer(200, []), OutcomeKind.UNCERTAIN),
    ],
)
def test_an_answer_means(sink: Sink, answer: Answer, kind: OutcomeKind) -> None:
    assert _send(sink, *[answer] * 3).kind is kind


def test_low_priority_makes_no_sound(sink: Sink) -> None:
    _send(sink, priority="low")
    assert sink.requests[0].json()["disable_notification"] is True
