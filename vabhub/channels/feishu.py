"""Feishu and Lark group bots, signed (https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot)."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any, ClassVar

from pydantic import AnyHttpUrl, model_validator

from vabhub import clock
from vabhub.channels import http
from vabhub.channels.answers import Codes
from vabhub.channels.base import ChannelSettings, Outcome, Words, setting
from vabhub.channels.parts import Part, PartedChannel
from vabhub.channels.text import Measure, json_bytes

# HTTP is 200 whatever the code. 19021 signature, 19022 address, 19024 keyword, 19001 and 19007 the bot.
CODES = Codes(
    code=("code", "StatusCode"),
    words=("msg", "StatusMessage"),
    channel=frozenset({19001, 19007, 19021, 19022, 19024}),
    message=frozenset({9499, 11246, 19002}),
    waits_s={11232: 60.0, 11233: 60.0},
)
COLOURS = {"success": "green", "warning": "orange", "error": "red", "info": "blue"}


class FeishuSettings(ChannelSettings):
    """Either the whole address (Feishu or Lark) or its last part; `secret` where the bot asks for it."""

    webhook_url: AnyHttpUrl | None = setting(
        Words("Webhook address", "Webhook 地址"),
        None,
        hint=Words("As the group shows it, Feishu or Lark", "群机器人的地址，飞书或 Lark"),
        secret=True,
    )
    token: str | None = setting(
        Words("Token", "Token"),
        None,
        hint=Words("The last part of the address, instead of all of it", "地址的最后一段，可代替完整地址"),
        secret=True,
        pattern=r"^[A-Za-z0-9_-]{8,128}$",
    )
    secret: str | None = setting(
        Words("Signing secret", "签名密钥"),
        None,
        hint=Words("When the bot asks for a signature", "安全设置勾选「签名校验」时"),
        secret=True,
        max_length=256,
    )
    base_url: AnyHttpUrl | None = setting(
        Words("Server", "服务器"),
        None,
        hint=Words("Only for a proxy or gateway of your own", "仅在使用自己的代理或网关时填写"),
    )

    @model_validator(mode="after")
    def _needs_one(self) -> FeishuSettings:
        if self.webhook_url is None and self.token is None:
            raise ValueError("webhook_url or token is needed")
        return self


class FeishuChannel(PartedChannel):
    """A card where a template gives Markdown, otherwise a plain text; it shows no picture by its address."""

    kind: ClassVar[str] = "feishu"
    label: ClassVar[Words] = Words("Feishu / Lark group bot", "飞书 / Lark 群机器人")
    about: ClassVar[Words] = Words(
        "A custom bot in a Feishu or Lark group; choose the signature as its security.",
        "飞书或 Lark 群自定义机器人；安全设置请勾选「签名校验」。",
    )
    # 100 a minute and 5 a second.
    usual_rate_per_minute: ClassVar[float] = 95
    usual_burst: ClassVar[int] = 5
    # All of the request is 20 KB at most.
    size: ClassVar[int] = 18_000
    measure: ClassVar[Measure] = json_bytes
    speaks_markdown: ClassVar[bool] = True
    Settings: ClassVar[type[ChannelSettings]] = FeishuSettings

    def __init__(self, settings: FeishuSettings) -> None:
        self.settings = settings

    def send_part(self, part: Part) -> Outcome:
        """Delivered is `code` 0 (`StatusCode` in older answers)."""
        body = _content(part) | (_signature(self.settings.secret) if self.settings.secret else {})
        answer = http.post_json(self._url(), body)
        return answer if isinstance(answer, Outcome) else CODES.outcome(answer)

    def _url(self) -> str:
        chosen = self.settings
        if chosen.webhook_url is not None:
            return http.moved(chosen.webhook_url, chosen.base_url)
        base = chosen.base_url or AnyHttpUrl("https://open.feishu.cn")
        return http.address(base, f"/open-apis/bot/v2/hook/{chosen.token}")


def _signature(secret: str) -> dict[str, str]:
    now_s = int(clock.utcnow().timestamp())
    # Feishu's own way: the text is the key, and what is signed is empty.
    digest = hmac.new(f"{now_s}\n{secret}".encode(), b"", hashlib.sha256).digest()
    return {"timestamp": str(now_s), "sign": base64.b64encode(digest).decode()}


def _content(part: Part) -> dict[str, Any]:
    if not part.markup:
        return {"msg_type": "text", "content": {"text": _unmentioned(part.body())}}
    colour = COLOURS.get(part.message.type, COLOURS["info"])
    card = {
        "header": {"title": {"tag": "plain_text", "content": part.title}, "template": colour},
        "elements": [{"tag": "markdown", "content": _unmentioned(part.below_title())}],
    }
    return {"msg_type": "interactive", "card": card}


def _unmentioned(text: str) -> str:
    # `<at user_id="all">` in a text would call everybody.
    return text.replace("<at ", "<\u200bat ").replace("</at>", "<\u200b/at>")


CHANNEL = FeishuChannel
