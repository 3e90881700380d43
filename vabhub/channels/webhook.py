"""Any HTTP receiver, signed the Standard Webhooks way (https://www.standardwebhooks.com)."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, AnyHttpUrl, Field
from standardwebhooks import Webhook

from vabhub import clock
from vabhub.channels import http
from vabhub.channels.base import ChannelSettings, Message, Outcome, OutcomeKind, secret_field

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

    url: AnyHttpUrl
    method: Literal["POST", "PUT", "PATCH"] = "POST"
    headers: Annotated[dict[str, str], AfterValidator(_headers)] = secret_field(
        default_factory=dict, max_length=32
    )
    secret: Annotated[str | None, Field(max_length=512), AfterValidator(_secrets)] = secret_field(None)


class WebhookChannel:
    """Delivers JSON `{"type", "timestamp", "data"}` under a `webhook-id` that stays the same on a retry."""

    kind: ClassVar[str] = "webhook"
    to_inbox: ClassVar[bool] = False
    Settings: ClassVar[type[ChannelSettings]] = WebhookSettings

    def __init__(self, settings: WebhookSettings) -> None:
        self.settings = settings

    def send(self, message: Message) -> Outcome:
        """Any 2xx is delivered; 410 and a refused credential switch the channel off."""
        body = json.dumps(_payload(message), ensure_ascii=False, separators=(",", ":"))
        answer = http.request(
            self.settings.method,
            str(self.settings.url),
            content=body.encode(),
            headers=self._sign(message, body),
        )
        return answer if isinstance(answer, Outcome) else _outcome(answer)

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
    return http.outcome_by_status(answer)


CHANNEL = WebhookChannel
