"""Any HTTP receiver, signed the Standard Webhooks way (https://www.standardwebhooks.com)."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import replace
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, AnyHttpUrl, Field
from pydantic_core import PydanticUndefined
from standardwebhooks import Webhook

from vabhub import clock
from vabhub.channels import answers, body_template, http
from vabhub.channels.base import ChannelSettings, Message, Outcome, OutcomeKind, Words, setting
from vabhub.sandbox import TemplateFault

RESERVED = frozenset({"webhook-id", "webhook-timestamp", "webhook-signature", "content-length", "host"})
REFUSED_MESSAGE = frozenset({400, 413, 415, 422, 431})


def _headers(headers: dict[str, str]) -> dict[str, str]:
    for name, value in headers.items():
        if name.strip().lower() in RESERVED:
            raise ValueError(f"the header {name!r} is set by VabHub")
        if not http.is_header(name, value):
            raise ValueError(f"{name!r} is not a header that HTTP can carry")
    return headers


def _secrets(secret: str | None) -> str | None:
    for one in (secret or "").split():
        try:
            raw = base64.b64decode(one.removeprefix("whsec_") + "==", validate=False)
        except binascii.Error as error:
            raise ValueError("a secret is whsec_ and base64") from error
        if len(raw) < 16:
            raise ValueError("a secret is whsec_ and base64 of 24 to 64 random bytes")
    return secret or None


class WebhookSettings(ChannelSettings):
    """`secret` may hold two, separated by a space, while one replaces the other."""

    url: AnyHttpUrl = setting(Words("Address", "地址"))
    method: Literal["POST", "PUT", "PATCH"] = setting(Words("Method", "方法"), "POST")
    headers: Annotated[dict[str, str], AfterValidator(_headers)] = setting(
        Words("Headers", "请求头"), PydanticUndefined, secret=True, default_factory=dict, max_length=32
    )
    secret: Annotated[str | None, Field(max_length=512), AfterValidator(_secrets)] = setting(
        Words("Signing secret", "签名密钥"),
        None,
        hint=Words(
            "whsec_… (Standard Webhooks); two with a space between them while one replaces the other",
            "whsec_…（Standard Webhooks）；更换密钥期间可填两个，以空格分隔",
        ),
        secret=True,
    )
    body: Annotated[str | None, Field(max_length=16_384), AfterValidator(body_template.checked)] = setting(
        Words("Body", "请求体"),
        None,
        hint=Words(
            "A Jinja template in place of the usual JSON, for example "
            '{"text": {{ message|tojson }}}. Known: id, title, message, type, priority, link, image_url, '
            "data, timestamp",
            '以 Jinja 模板代替默认 JSON，例如 {"text": {{ message|tojson }}}。可用变量：'
            "id、title、message、type、priority、link、image_url、data、timestamp",
        ),
    )


class WebhookChannel:
    """Delivers JSON `{"type", "timestamp", "data"}` under a `webhook-id` that stays the same on a retry."""

    kind: ClassVar[str] = "webhook"
    label: ClassVar[Words] = Words("Webhook", "Webhook")
    about: ClassVar[Words] = Words(
        "Any program that takes HTTP. Signed as Standard Webhooks says, when there is a secret.",
        "任何能接收 HTTP 请求的程序；填写密钥后按 Standard Webhooks 签名。",
    )
    to_inbox: ClassVar[bool] = False
    Settings: ClassVar[type[ChannelSettings]] = WebhookSettings

    def __init__(self, settings: WebhookSettings) -> None:
        self.settings = settings

    def send(self, message: Message) -> Outcome:
        """Any 2xx is delivered; 410 and a refused credential switch the channel off."""
        body, fault = self._body(message)
        answer = http.request(
            self.settings.method,
            str(self.settings.url),
            content=body.encode(),
            headers=self._sign(message, body),
        )
        outcome = answer if isinstance(answer, Outcome) else _outcome(answer)
        return replace(outcome, text=f"{fault}; {outcome.text}") if fault else outcome

    def _body(self, message: Message) -> tuple[str, str]:
        """Return the body, and what is wrong with the user's own when the usual one stands in for it."""
        payload = _payload(message)
        try:
            if self.settings.body is not None:
                values = payload["data"] | {"timestamp": payload["timestamp"]}
                return body_template.render(self.settings.body, values), ""
        except TemplateFault as fault:
            return _json(payload), f"the body's template failed ({fault.message}), the usual body was sent"
        return _json(payload), ""

    def _sign(self, message: Message, body: str) -> dict[str, str]:
        now = clock.utcnow()
        headers = {
            "content-type": "application/json",
            **{name.strip().lower(): value for name, value in self.settings.headers.items()},
            "webhook-id": message.id,
            "webhook-timestamp": str(int(now.timestamp())),
        }
        signatures = [
            Webhook(one).sign(message.id, now, body) for one in (self.settings.secret or "").split()
        ]
        return headers | ({"webhook-signature": " ".join(signatures)} if signatures else {})


def _json(payload: dict[str, Any]) -> str:
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":"))


def _payload(message: Message) -> dict[str, Any]:
    return {
        "type": "notification",
        "timestamp": clock.isoformat(message.created_at),
        "data": {
            "id": message.id,
            "title": message.title,
            "message": message.text,
            "type": message.type,
            "priority": message.priority,
            "link": message.link,
            "image_url": message.image_url,
            "data": dict(message.data),
        },
    }


def _outcome(answer: http.Answer) -> Outcome:
    if answer.status in {401, 403, 410}:
        return Outcome(OutcomeKind.PERMANENT_CHANNEL, answer.text, answer.status)
    if answer.status in REFUSED_MESSAGE:
        return Outcome(OutcomeKind.PERMANENT_MESSAGE, answer.text, answer.status)
    return answers.by_status_alone(answer)


CHANNEL = WebhookChannel
