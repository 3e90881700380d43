"""Apprise: judged by the HTTP exchange, loaded by workers only, and no slower than it must be."""

from __future__ import annotations

import json
import subprocess
import sys
import time

import httpx
import pytest

from tests.contracts.channels.cases import message
from tests.support.sink import Answer, Sink
from vabhub.channels import apprise, http
from vabhub.channels.base import Outcome
from vabhub.channels.base import OutcomeKind as Kind
from vabhub.channels.registry import make
from vabhub.notify import channel_trial
from vabhub.notify.channel_trial import ChannelTrial
from vabhub.settings import Settings


def _url(sink: Sink, path: str = "/in") -> dict[str, str]:
    return {"url": sink.url.replace("http", "json", 1) + path}


def _said(body: object, status: int = 200) -> http.Answer:
    text = body if isinstance(body, str) else json.dumps(body)
    return http.Answer(status, httpx.Headers(), text)


@pytest.mark.parametrize(
    ("schema", "body", "kind"),
    [
        ("wecombot", {"errcode": 0, "errmsg": "ok"}, Kind.OK),
        ("wecombot", {"errcode": 93000, "errmsg": "invalid webhook url"}, Kind.TRANSIENT),
        ("wecombot", "<html>hotel", Kind.UNCERTAIN),
        ("dingtalk", {"errcode": 310000, "errmsg": "sign not match"}, Kind.TRANSIENT),
        ("feishu", {"code": 19021, "msg": "sign match fail"}, Kind.TRANSIENT),
        ("feishu", {"StatusCode": 0, "StatusMessage": "success"}, Kind.OK),
        ("lark", {"code": 19001, "msg": "param invalid"}, Kind.TRANSIENT),
        ("synology", {"success": False, "error": {"code": 404}}, Kind.TRANSIENT),
        ("synology", {"success": True}, Kind.OK),
        ("pushdeer", {"code": 80501, "error": "no key"}, Kind.TRANSIENT),
        ("pushme", "success", Kind.OK),
        ("pushme", "push_key error", Kind.TRANSIENT),
        ("schan", {"code": 40001, "message": "[AUTH]"}, Kind.TRANSIENT),
        ("other", {"ok": False}, Kind.TRANSIENT),
        ("other", {"code": 1000, "success": True}, Kind.OK),
        ("other", "anything", Kind.OK),
    ],
)
def test_a_refusal_in_an_http_200_is_none_the_less_one(schema: str, body: object, kind: Kind) -> None:
    assert apprise.judged(schema, [_said(body)], said_yes=True).kind is kind


def test_a_failure_that_apprise_read_from_the_body_is_one() -> None:
    assert apprise.judged("x", [_said({"status": "no"})], said_yes=False).kind is Kind.TRANSIENT
    assert apprise.judged("x", [_said("torn")], said_yes=False).kind is Kind.UNCERTAIN
    assert apprise.judged("x", [], said_yes=False).kind is Kind.TRANSIENT
    assert apprise.judged("x", [], said_yes=True).kind is Kind.OK


def test_the_answer_that_counts_is_the_messages() -> None:
    signed_out = _said("no", 500)
    assert apprise.judged("x", [_said("ok"), signed_out], said_yes=True).kind is Kind.OK
    assert apprise.judged("x", [signed_out], said_yes=True).kind is Kind.TRANSIENT
    lost = Outcome(Kind.UNCERTAIN, "no answer")
    assert apprise.judged("x", [_said("ok"), lost], said_yes=True) is lost


def test_the_message_arrives_as_apprise_writes_it(sink: Sink) -> None:
    assert make("apprise", _url(sink)).send(message(type="error")).kind is Kind.OK
    (request,) = sink.requests
    body = request.json()
    assert (body["title"], body["type"]) == ("下载完成 <1>", "failure")
    assert body["message"] == "Dune & Dune 2 — 4K 🎬"


def test_it_does_not_wait_between_the_parts(sink: Sink, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    channel = make("apprise", _url(sink))
    monkeypatch.setattr(time, "sleep", waits.append)  # Apprise would wait 5.5 s before the second
    assert channel.send(message(text="word " * 13_000)).kind is Kind.OK
    assert len(sink.requests) == 2
    assert waits == []


def test_an_unknown_url_is_the_channels_fault() -> None:
    outcome = make("apprise", {"url": "nosuchthing://host/key"}).send(message())
    assert outcome.kind is Kind.PERMANENT_CHANNEL


def test_other_users_of_requests_are_left_alone(sink: Sink) -> None:
    import requests

    make("apprise", _url(sink)).send(message())
    sink.script.append(Answer(200, b"x" * 100_000))
    assert len(requests.get(sink.url, timeout=5).content) == 100_000


def test_apprises_own_log_says_nothing(sink: Sink, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    sink.script.append(Answer(500, "no"))
    make("apprise", _url(sink, "/very-secret-path")).send(message())
    said = [
        record.getMessage() for record in caplog.records if not record.name.startswith(("httpx", "httpcore"))
    ]
    assert "very-secret-path" not in " ".join(said)


def test_the_web_process_never_loads_it() -> None:
    program = (
        "import sys, json; from vabhub.channels import registry; import web.app;"
        "registry.make('apprise', {'url': 'json://127.0.0.1:1/x'});"
        "print(json.dumps([name for name in ('apprise', 'requests') if name in sys.modules]))"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True)
    assert "apprise" not in json.loads(told.stdout)


def test_a_trial_runs_in_a_process_of_its_own(sqlite: Settings, sink: Sink) -> None:
    sink.script.append(Answer(401, "bad key"))
    trial = ChannelTrial(kind="apprise", settings=_url(sink, "/very-secret-path-of-mine"))
    shown = channel_trial.test_channel("new", trial)
    assert (shown["ok"], shown["outcome"], shown["text"]) == (False, "permanent_channel", "bad key")
    assert channel_trial.test_channel("new", trial)["ok"] is True
    assert len(sink.requests) == 2
