"""WeCom group bots (https://developer.work.weixin.qq.com/document/path/91770)."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import AnyHttpUrl, model_validator

from vabhub.channels import http
from vabhub.channels.answers import Codes
from vabhub.channels.base import ChannelSettings, Outcome, Words, setting
from vabhub.channels.parts import Part, PartedChannel
from vabhub.channels.text import Measure, cut_utf8, utf8_bytes

# HTTP is 200 whatever the code. 45009 is the limit of 20 messages a minute.
CODES = Codes(
    code=("errcode",),
    words=("errmsg",),
    channel=frozenset({93000, 93004, 93008, 60020}),
    message=frozenset({40008, 40033, 40063, 44004}),
    too_long=frozenset({40058, 45002}),
    waits_s={45009: 60.0, 45033: 60.0},
)
CARD_TITLE_BYTES, CARD_TEXT_BYTES = 128, 512


class GroupBotSettings(ChannelSettings):
    """Either the whole address or its key."""

    webhook_url: AnyHttpUrl | None = setting(
        Words("Webhook address", "Webhook 地址"),
        None,
        hint=Words("As the group shows it; or give the key below", "群聊中显示的地址；也可只填下面的 key"),
        secret=True,
    )
    key: str | None = setting(
        Words("Key", "Key"),
        None,
        hint=Words("What stands behind key= in the address", "地址中 key= 之后的部分"),
        secret=True,
        pattern=r"^[A-Za-z0-9_-]{8,128}$",
    )
    base_url: AnyHttpUrl | None = setting(
        Words("Server", "服务器"),
        None,
        hint=Words("Only for a proxy or gateway of your own", "仅在使用自己的代理或网关时填写"),
    )

    @model_validator(mode="after")
    def _needs_one(self) -> GroupBotSettings:
        if self.webhook_url is None and self.key is None:
            raise ValueError("webhook_url or key is needed")
        return self


class GroupBotChannel(PartedChannel):
    """Plain text, or Markdown where a template gives it; a short text with a picture is a card."""

    kind: ClassVar[str] = "wechat"
    label: ClassVar[Words] = Words("WeCom group bot", "企业微信群机器人")
    about: ClassVar[Words] = Words(
        "A bot in a WeCom group. In the group: add a bot, copy its webhook address.",
        "企业微信群里的机器人。在群设置中添加机器人并复制 Webhook 地址。",
    )
    # 20 in any minute: five at once and 15 more.
    usual_rate_per_minute: ClassVar[float] = 16
    usual_burst: ClassVar[int] = 5
    size: ClassVar[int] = 2048
    picture_size: ClassVar[int | None] = CARD_TEXT_BYTES
    measure: ClassVar[Measure] = utf8_bytes
    speaks_markdown: ClassVar[bool] = True
    Settings: ClassVar[type[ChannelSettings]] = GroupBotSettings

    def __init__(self, settings: GroupBotSettings) -> None:
        self.settings = settings

    def send_part(self, part: Part) -> Outcome:
        """Delivered is `errcode` 0."""
        answer = http.post_json(self._url(), _body(part))
        return answer if isinstance(answer, Outcome) else CODES.outcome(answer)

    def _url(self) -> str:
        chosen = self.settings
        if chosen.webhook_url is not None:
            return http.moved(chosen.webhook_url, chosen.base_url)
        base = chosen.base_url or AnyHttpUrl("https://qyapi.weixin.qq.com")
        return http.address(base, f"/cgi-bin/webhook/send?key={chosen.key}")


def _body(part: Part) -> dict[str, Any]:
    if part.image_url:
        card = {
            "title": cut_utf8(part.title, CARD_TITLE_BYTES),
            "description": part.text,
            "url": part.link or part.image_url,
            "picurl": part.image_url,
        }
        return {"msgtype": "news", "news": {"articles": [card]}}
    if part.markup:
        return {"msgtype": "markdown", "markdown": {"content": part.body()}}
    return {"msgtype": "text", "text": {"content": part.body()}}


CHANNEL = GroupBotChannel
