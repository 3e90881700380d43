"""How each provider that speaks HTTP answers, in its own words (FACTS in docs/channels.md)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.support.sink import Answer, Request
from vabhub.channels import subscriptions
from vabhub.channels.base import OutcomeKind as Kind
from vabhub.db import transaction

KEY = "abcdef0123456789abcdef0123456789"
# A browser's keys, from the example of RFC 8291, appendix A.
BROWSER_KEY = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
BROWSER_AUTH = "BTBZMqHH6r4Tts7J_aSIgg"
# What WeCom gives in return for a key; a secret as well.
TOKEN = "feedface9876543210feedface987654"


def _answer_all(_request: Request) -> Answer | None:
    return None


@dataclass(frozen=True)
class Provider:
    """`settings` makes the channel talk to an address; the answers are what the provider says.

    `limited` asks for a wait in its body, of `wait_s` seconds at least. `before` answers what comes before
    the message itself. `expects` holds what differs from the suite's usual expectation, by case.
    """

    settings: Callable[[str], dict[str, Any]]
    yes: Answer
    bad_credentials: Answer
    blocked: Answer
    error_in_200: Answer
    limited: Answer
    refused: Answer | None = None  # this very message, for its picture or its markup
    wait_s: float = 7
    before: Callable[[Request], Answer | None] = _answer_all
    expects: Mapping[str, Kind] = field(default_factory=dict)


def subscribed(url: str) -> dict[str, Any]:
    """Subscribe one browser whose push service is there; it needs a database."""
    with transaction() as session:
        subscriptions.subscribe(
            session,
            endpoint=f"{url}/push/{KEY}",
            p256dh=BROWSER_KEY,
            auth=BROWSER_AUTH,
            owner="ada",
            browser="Firefox",
        )
    return {}


def _telegram_no(code: int, description: str, **parameters: Any) -> Answer:
    body = {"ok": False, "error_code": code, "description": description, "parameters": parameters}
    return Answer(code, body)


def _work(code: int, words: str = "no") -> Answer:
    return Answer(200, {"errcode": code, "errmsg": words})


def _work_token(request: Request) -> Answer | None:
    if not request.path.startswith("/cgi-bin/gettoken"):
        return None
    return Answer(200, {"errcode": 0, "errmsg": "ok", "access_token": TOKEN, "expires_in": 7200})


def _feishu(code: int, words: str = "no") -> Answer:
    return Answer(200, {"code": code, "msg": words, "data": {}})


def _gotify_no(status: int, **more: Any) -> Answer:
    return Answer(status, {"error": "no", "errorCode": status, "errorDescription": "why"} | more)


PROVIDERS: dict[str, Provider] = {
    "webhook": Provider(
        settings=lambda url: {"url": f"{url}/in"},
        yes=Answer(204, b""),
        bad_credentials=Answer(401, "who?"),
        blocked=Answer(410, "gone"),
        error_in_200=Answer(200, {"error": "but the status is the signal"}),
        limited=Answer(429, {"retry_after": 7}),
        # Standard Webhooks: any 2xx is a yes, whatever stands in its body.
        expects={"200 with an error": Kind.OK, "torn body": Kind.OK},
    ),
    "telegram": Provider(
        settings=lambda url: {"bot_token": f"123456:{KEY}", "chat_id": "42", "base_url": url},
        yes=Answer(200, {"ok": True, "result": {}}),
        bad_credentials=_telegram_no(401, "Unauthorized"),
        blocked=_telegram_no(403, "Forbidden: bot was blocked by the user"),
        error_in_200=Answer(200, {"ok": False, "error_code": 500, "description": "Internal"}),
        refused=_telegram_no(400, "Bad Request: can't parse entities"),
        limited=_telegram_no(429, "Too Many Requests: retry after 7", retry_after=7),
    ),
    "wechat": Provider(
        settings=lambda url: {"key": KEY, "base_url": url},
        yes=_work(0, "ok"),
        bad_credentials=_work(93000, "invalid webhook url"),
        blocked=_work(93004, "robot removed"),
        error_in_200=_work(-1, "system busy"),
        refused=_work(40033, "invalid charset"),
        limited=_work(45009, "api freq out of limit"),
        wait_s=60,
    ),
    "wechat_app": Provider(
        settings=lambda url: {
            "corp_id": "ww0123456789",
            "corp_secret": KEY,
            "agent_id": 1000002,
            "to_user": "ada",
            "base_url": url,
        },
        yes=_work(0, "ok"),
        bad_credentials=_work(40001, "invalid credential"),
        blocked=_work(81013, "user & party & tag all invalid"),
        error_in_200=_work(-1, "system busy"),
        refused=_work(40008, "invalid message type"),
        limited=_work(45033, "api concurrent out of limit"),
        wait_s=60,
        before=_work_token,
        # The drip holds back the token already: nothing of the message has left.
        expects={"blocked recipient": Kind.PERMANENT_MESSAGE, "a byte at a time": Kind.TRANSIENT},
    ),
    "serverchan": Provider(
        settings=lambda url: {"send_key": f"SCT{KEY}", "base_url": url},
        yes=Answer(200, {"code": 0, "message": "", "data": {"pushid": "1", "error": "SUCCESS", "errno": 0}}),
        bad_credentials=Answer(400, {"code": 40001, "message": "[AUTH]用户不存在或者权限不足"}),
        blocked=Answer(200, {"code": 20001, "message": "[INPUT]SendKey错误"}),
        error_in_200=Answer(200, {"code": 1024, "message": "不要重复发送同样的内容"}),
        limited=Answer(200, {"code": 40001, "message": "[AUTH]超过当天的发送次数限制[5]"}),
        wait_s=0.001,
    ),
    "pushplus": Provider(
        settings=lambda url: {"token": KEY, "base_url": url},
        yes=Answer(200, {"code": 200, "msg": "请求成功", "data": "flow-1"}),
        bad_credentials=Answer(200, {"code": 903, "msg": "无效的用户token"}),
        blocked=Answer(200, {"code": 905, "msg": "账户未进行实名认证"}),
        error_in_200=Answer(200, {"code": 500, "msg": "系统异常"}),
        refused=Answer(200, {"code": 600, "msg": "数据异常"}),
        limited=Answer(200, {"code": 900, "msg": "用户账号使用受限"}),
        wait_s=0.001,
    ),
    "bark": Provider(
        settings=lambda url: {"device_key": KEY, "base_url": url},
        yes=Answer(200, {"code": 200, "message": "success", "timestamp": 1}),
        bad_credentials=Answer(400, {"code": 400, "message": "failed to get device token: no such key"}),
        blocked=Answer(500, {"code": 500, "message": "push failed: Unregistered"}),
        error_in_200=Answer(200, {"code": 500, "message": "push failed: InternalServerError"}),
        refused=Answer(400, {"code": 400, "message": "bad request"}),
        limited=Answer(429, {"code": 429, "message": "slow", "retry_after": 7}),
    ),
    "ntfy": Provider(
        settings=lambda url: {"topic": "vabhub-alerts", "token": f"tk_{KEY}", "base_url": url},
        yes=Answer(200, {"id": "abc", "time": 1, "event": "message", "topic": "t"}),
        bad_credentials=Answer(401, {"code": 40101, "http": 401, "error": "unauthorized"}),
        blocked=Answer(403, {"code": 40301, "http": 403, "error": "forbidden"}),
        error_in_200=Answer(200, {"code": 50001, "http": 500, "error": "internal server error"}),
        refused=Answer(400, {"code": 40013, "http": 400, "error": "attachment URL is invalid"}),
        limited=Answer(429, {"code": 42901, "http": 429, "error": "too many requests"}),
    ),
    "gotify": Provider(
        settings=lambda url: {"token": f"A{KEY}", "base_url": url},
        yes=Answer(200, {"id": 25, "appid": 5, "message": "x", "date": "2026-11-24T00:00:00Z"}),
        bad_credentials=_gotify_no(401),
        blocked=_gotify_no(403),
        error_in_200=Answer(200, {"error": "Internal", "errorCode": 500, "errorDescription": "why"}),
        refused=_gotify_no(400),
        limited=_gotify_no(429, retry_after=7),
    ),
    "discord": Provider(
        settings=lambda url: {"webhook_url": f"{url}/api/webhooks/1/{KEY}"},
        yes=Answer(200, {"id": "1", "type": 0, "content": "x"}),
        bad_credentials=Answer(401, {"message": "Invalid Webhook Token", "code": 50027}),
        blocked=Answer(404, {"message": "Unknown Webhook", "code": 10015}),
        error_in_200=Answer(200, {"message": "Internal", "code": 0}),
        refused=Answer(400, {"message": "Invalid Form Body", "code": 50035, "errors": {"embeds": ["0"]}}),
        limited=Answer(429, {"message": "You are being rate limited.", "retry_after": 7.5, "global": False}),
        wait_s=7.5,
    ),
    "slack": Provider(
        settings=lambda url: {"webhook_url": f"{url}/services/T0/B0/{KEY}"},
        yes=Answer(200, "ok"),
        bad_credentials=Answer(403, "invalid_token"),
        blocked=Answer(410, "channel_is_archived"),
        error_in_200=Answer(200, "no_service"),
        refused=Answer(400, "invalid_blocks"),
        limited=Answer(429, {"ok": False, "error": "rate_limited", "retry_after": 7}),
        expects={"200 with an error": Kind.PERMANENT_CHANNEL},
    ),
    "dingtalk": Provider(
        settings=lambda url: {"access_token": KEY, "secret": f"SEC{KEY}", "base_url": url},
        yes=_work(0, "ok"),
        bad_credentials=_work(300001, "token is not exist"),
        blocked=_work(400102, "robot is disabled"),
        error_in_200=_work(-1, "system busy"),
        refused=_work(430103, "picture"),
        limited=_work(130101, "send too fast, exceed 20 times per minute"),
        wait_s=600,
    ),
    "feishu": Provider(
        settings=lambda url: {"token": KEY, "secret": KEY, "base_url": url},
        yes=_feishu(0, "success"),
        bad_credentials=_feishu(19021, "sign match fail or timestamp is not within one hour"),
        blocked=_feishu(19007, "Bot Not Enabled"),
        error_in_200=_feishu(10000, "internal error"),
        refused=_feishu(11246, "card"),
        limited=_feishu(11232, "frequency limited psm[lark.oapi.app_platform_runtime]"),
        wait_s=60,
    ),
    "apprise": Provider(
        settings=lambda url: {"url": url.replace("http", "json", 1) + "/in"},
        yes=Answer(200, "ok"),
        bad_credentials=Answer(401, "who?"),
        blocked=Answer(410, "gone"),
        error_in_200=Answer(200, {"errcode": 93000, "errmsg": "invalid webhook url"}),
        limited=Answer(429, {"retry_after": 7}),
        refused=Answer(400, "bad"),
        # The body of a service in general says nothing that Apprise or we could know.
        expects={"torn body": Kind.OK},
    ),
    "push": Provider(
        settings=subscribed,
        yes=Answer(201, b""),
        bad_credentials=Answer(403, "VapidPkHashMismatch"),
        blocked=Answer(410, "push subscription has unsubscribed or expired"),
        # A push service's signal is its status; nothing in RFC 8030 speaks of its body.
        error_in_200=Answer(200, {"error": "but the status is the signal"}),
        limited=Answer(429, {"retry_after": 7}),
        expects={
            "blocked recipient": Kind.PERMANENT_MESSAGE,
            "200 with an error": Kind.OK,
            "torn body": Kind.OK,
        },
    ),
}
