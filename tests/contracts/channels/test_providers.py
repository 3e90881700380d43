"""What is particular to a provider: signatures, tokens, fields, and the meaning of its codes."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.contracts.channels.cases import message
from tests.contracts.channels.providers import KEY, PROVIDERS
from tests.support.sink import Answer, Request, Sink
from vabhub.channels import wechat_app
from vabhub.channels.base import Outcome
from vabhub.channels.base import OutcomeKind as Kind
from vabhub.channels.registry import make
from vabhub.errors import ValidationFailed

Send = Callable[..., Outcome]


@pytest.fixture
def send(sink: Sink) -> Send:
    """Sends over a kind of channel to the sink, which says yes to what its script does not answer."""

    def call(kind: str, *answers: Answer, settings: dict[str, Any] | None = None, **changes: Any) -> Outcome:
        provider = PROVIDERS[kind]
        script = list(answers)
        sink.respond = lambda request: provider.before(request) or (script.pop(0) if script else provider.yes)
        wechat_app._tokens.clear()
        given = provider.settings(sink.url) | (settings or {})
        return make(kind, given).send(message(**changes))

    return call


def test_dingtalk_is_signed(sink: Sink, send: Send) -> None:
    send("dingtalk")
    query = parse_qs(urlsplit(sink.requests[0].path).query)
    secret, moment = f"SEC{KEY}", query["timestamp"][0]
    expected = hmac.new(secret.encode(), f"{moment}\n{secret}".encode(), hashlib.sha256).digest()
    assert base64.b64decode(query["sign"][0]) == expected
    assert query["access_token"] == [KEY]


def test_feishu_is_signed(sink: Sink, send: Send) -> None:
    send("feishu")
    body = sink.requests[0].json()
    expected = hmac.new(f"{body['timestamp']}\n{KEY}".encode(), b"", hashlib.sha256).digest()
    assert base64.b64decode(body["sign"]) == expected


def test_feishus_older_success_is_one_too(send: Send) -> None:
    assert send("feishu", Answer(200, {"StatusCode": 0, "StatusMessage": "success"})).kind is Kind.OK
    assert send("feishu", Answer(200, {"Extra": None})).kind is Kind.UNCERTAIN


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("wechat", f"/cgi-bin/webhook/send?key={KEY}"),
        ("dingtalk", f"/robot/send?access_token={KEY}"),
        ("feishu", f"/open-apis/bot/v2/hook/{KEY}"),
        ("serverchan", f"/SCT{KEY}.send"),
        ("discord", f"/api/webhooks/1/{KEY}?wait=true"),
        ("slack", f"/services/T0/B0/{KEY}"),
        ("ntfy", "/"),
        ("bark", "/push"),
        ("gotify", "/message"),
        ("pushplus", "/send"),
    ],
)
def test_the_address_is_the_providers(sink: Sink, send: Send, kind: str, path: str) -> None:
    assert send(kind).kind is Kind.OK
    assert sink.requests[0].path.startswith(path)


@pytest.mark.parametrize(
    ("kind", "url"),
    [
        ("wechat", f"https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={KEY}"),
        ("dingtalk", f"https://oapi.dingtalk.com/robot/send?access_token={KEY}"),
        ("feishu", f"https://open.larksuite.com/open-apis/bot/v2/hook/{KEY}"),
        ("discord", f"https://discord.com/api/webhooks/1/{KEY}"),
        ("slack", f"https://hooks.slack.com/services/T0/B0/{KEY}"),
    ],
)
def test_a_whole_address_keeps_its_path_behind_another_server(
    sink: Sink, send: Send, kind: str, url: str
) -> None:
    assert send(kind, settings={"webhook_url": url, "base_url": f"{sink.url}/gate/"}).kind is Kind.OK
    parts = urlsplit(url)
    wanted = f"/gate{parts.path}" + (f"?{parts.query}" if parts.query else "")
    assert sink.requests[0].path.startswith(wanted)


@pytest.mark.parametrize("kind", ["wechat", "dingtalk", "feishu"])
def test_an_address_or_its_key_is_needed(kind: str) -> None:
    with pytest.raises(ValidationFailed):
        make(kind, {})


def test_a_newer_serverchan_key_has_its_own_place(sink: Sink, send: Send) -> None:
    send("serverchan", settings={"send_key": "sctp123tabcdefgh"})
    assert sink.requests[0].path == "/send/sctp123tabcdefgh.send"


def test_a_token_of_an_application_is_asked_for_once(sink: Sink) -> None:
    provider = PROVIDERS["wechat_app"]
    sink.respond = lambda request: provider.before(request) or provider.yes
    wechat_app._tokens.clear()
    for _ in range(3):
        assert make("wechat_app", provider.settings(sink.url)).send(message()).kind is Kind.OK
    asked = [request.path for request in sink.requests if request.path.startswith("/cgi-bin/gettoken")]
    assert asked == [f"/cgi-bin/gettoken?corpid=ww0123456789&corpsecret={KEY}"]


@pytest.mark.parametrize("code", [40001, 40014, 42001])
def test_an_old_token_is_replaced_and_the_message_sent_once_more(sink: Sink, send: Send, code: int) -> None:
    outcome = send("wechat_app", Answer(200, {"errcode": code, "errmsg": "expired"}))
    assert outcome.kind is Kind.OK
    assert [request.path.split("?")[0].rpartition("/")[2] for request in sink.requests] == [
        *("gettoken", "send"),
        *("gettoken", "send"),
    ]


def test_a_token_that_stays_refused_is_the_channels_fault(sink: Sink, send: Send) -> None:
    refused = Answer(200, {"errcode": 40001, "errmsg": "invalid credential"})
    assert send("wechat_app", refused, refused, refused).kind is Kind.PERMANENT_CHANNEL
    assert len(sink.requests) == 4


def test_a_wrong_secret_is_found_out_with_the_token(sink: Sink) -> None:
    sink.respond = lambda _request: Answer(200, {"errcode": 40001, "errmsg": "invalid credential"})
    wechat_app._tokens.clear()
    outcome = make("wechat_app", PROVIDERS["wechat_app"].settings(sink.url)).send(message())
    assert (outcome.kind, len(sink.requests)) == (Kind.PERMANENT_CHANNEL, 1)


def test_a_repeat_is_to_be_dropped_only_on_a_retry(sink: Sink, send: Send) -> None:
    send("wechat_app")
    send("wechat_app", is_retry=True)
    sent = [request.json() for request in sink.requests if request.method == "POST"]
    assert [body["enable_duplicate_check"] for body in sent] == [0, 1]


@pytest.mark.parametrize(
    ("kind", "answer", "expected"),
    [
        ("wechat_app", Answer(200, {"errcode": 60020, "errmsg": "not allow"}), Kind.PERMANENT_CHANNEL),
        ("wechat_app", Answer(200, {"errcode": 301002, "errmsg": "no"}), Kind.PERMANENT_CHANNEL),
        ("wechat_app", Answer(200, {"errcode": 82001, "errmsg": "no user"}), Kind.PERMANENT_MESSAGE),
        ("wechat_app", Answer(200, {"errcode": 45009, "errmsg": "slow"}), Kind.RATE_LIMITED),
        ("pushplus", Answer(200, {"code": 888, "msg": "积分不足"}), Kind.PERMANENT_CHANNEL),
        ("pushplus", Answer(200, {"code": 999, "msg": "?"}), Kind.TRANSIENT),
        ("dingtalk", Answer(200, {"errcode": 310000, "errmsg": "sign not match"}), Kind.PERMANENT_CHANNEL),
        ("dingtalk", Answer(200, {"errcode": 430104, "errmsg": "bad words"}), Kind.PERMANENT_MESSAGE),
        (
            "bark",
            Answer(500, {"code": 500, "message": "push failed: BadDeviceToken"}),
            Kind.PERMANENT_CHANNEL,
        ),
        ("bark", Answer(500, {"code": 500, "message": "push failed: timeout"}), Kind.TRANSIENT),
        ("ntfy", Answer(400, {"code": 40012, "http": 400, "error": "invalid"}), Kind.PERMANENT_MESSAGE),
        ("gotify", Answer(400, {"error": "Bad", "errorCode": 400}), Kind.PERMANENT_MESSAGE),
        ("discord", Answer(400, {"message": "Invalid Form Body", "code": 50035}), Kind.PERMANENT_MESSAGE),
        ("slack", Answer(400, "invalid_payload"), Kind.PERMANENT_MESSAGE),
        ("slack", Answer(500, "rollup_error"), Kind.TRANSIENT),
    ],
)
def test_a_code_means(send: Send, kind: str, answer: Answer, expected: Kind) -> None:
    assert send(kind, *([answer] * 4)).kind is expected


def test_ntfys_daily_share_ends_at_midnight(send: Send) -> None:
    body = {"code": 42908, "http": 429, "error": "daily message quota reached"}
    wait_s = send("ntfy", Answer(429, body)).retry_after_s
    assert wait_s is not None
    assert 0 < wait_s <= 86400


@pytest.mark.parametrize(
    ("kind", "priority", "field", "value"),
    [
        ("bark", "urgent", "level", "critical"),
        ("bark", "low", "level", "passive"),
        ("ntfy", "urgent", "priority", 5),
        ("gotify", "high", "priority", 8),
        ("telegram", "low", "disable_notification", True),
    ],
)
def test_a_priority_is_the_providers(
    sink: Sink, send: Send, kind: str, priority: str, field: str, value: Any
) -> None:
    send(kind, priority=priority)
    assert sink.requests[0].json()[field] == value


def _markup_of(kind: str, request: Request) -> Any:
    body = request.json()
    return {
        "wechat": lambda: body.get("markdown", {}).get("content"),
        "wechat_app": lambda: body.get("markdown", {}).get("content"),
        "dingtalk": lambda: body.get("markdown", {}).get("text"),
        "feishu": lambda: body.get("card", {}).get("elements", [{}])[0].get("content"),
        "discord": lambda: body.get("embeds", [{}])[0].get("description"),
        "ntfy": lambda: body["message"] if body.get("markdown") else None,
        "gotify": lambda: body["message"] if "text/markdown" in str(body["extras"]) else None,
        "bark": lambda: body.get("markdown"),
        "pushplus": lambda: body["content"] if body["template"] == "markdown" else None,
        "serverchan": lambda: body["desp"],
    }[kind]()


@pytest.mark.parametrize(
    "kind",
    sorted(set(PROVIDERS) - {"webhook", "telegram", "slack", "apprise", "push"}),
)
def test_a_templates_markdown_goes_as_markdown(sink: Sink, send: Send, kind: str) -> None:
    assert send(kind, markdown="**bold** text").kind is Kind.OK
    (request,) = [request for request in sink.requests if request.method == "POST"]
    assert "**bold** text" in _markup_of(kind, request)


def test_nobody_is_mentioned_by_a_text(sink: Sink, send: Send) -> None:
    text = '@everyone <@1> <!here> <at user_id="all">x</at>'
    for kind in ("discord", "slack", "feishu"):
        send(kind, text=text)
    to_discord, to_slack, to_feishu = (request.json() for request in sink.requests)
    assert to_discord["allowed_mentions"] == {"parse": []}
    assert "<!here>" not in str(to_slack)
    assert "<at " not in str(to_feishu)
