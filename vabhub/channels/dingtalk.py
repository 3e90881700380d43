"""DingTalk group bots, signed (https://open.dingtalk.com/document/robots/custom-robot-access)."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any, ClassVar
from urllib.parse import quote_plus

from pydantic import AnyHttpUrl, model_validator

from vabhub import clock
from vabhub.channels import http
from vabhub.channels.answers import Codes
from vabhub.channels.base import ChannelSettings, Outcome, Words, setting
from vabhub.channels.parts import Part, PartedChannel
from vabhub.channels.text import Measure, json_bytes

# HTTP is 200 whatever the code. 310000: signature, keyword or address is not what the bot asks for.
# More than 20 a minute shut the bot up for ten minutes.
CODES = Codes(
    code=("errcode",),
    words=("errmsg",),
    channel=frozenset({300001, 300005, 310000, 400013, 400101, 400102, 400106}),
    message=frozenset({40035, 43004, 400105, 430101, 430102, 430103, 430104}),
    too_long=frozenset({460101}),
    waits_s={130101: 600.0, 410100: 60.0, 90018: 60.0, 90030: 600.0},
)


class DingTalkSettings(ChannelSettings):
    """Either the whole address or its token; `secret` where the bot asks for a signature."""

    webhook_url: AnyHttpUrl | None = setting(
        Words("Webhook address", "Webhook 地址"),
        None,
        hint=Words("As the group shows it; or give the token below", "群机器人的地址；也可只填下面的 token"),
        secret=True,
    )
    access_token: str | None = setting(
        Words("Access token", "access_token"),
        None,
        hint=Words("What stands behind access_token= in the address", "地址中 access_token= 之后的部分"),
        secret=True,
        pattern=r"^[A-Za-z0-9_-]{8,128}$",
    )
    secret: str | None = setting(
        Words("Signing secret", "加签密钥"),
        None,
        hint=Words("SEC…, when the bot asks for a signature", "安全设置选「加签」时，以 SEC 开头"),
        secret=True,
        max_length=256,
    )
    base_url: AnyHttpUrl | None = setting(
        Words("Server", "服务器"),
        None,
        hint=Words("Only for a proxy or gateway of your own", "仅在使用自己的代理或网关时填写"),
    )

    @model_validator(mode="after")
    def _needs_one(self) -> DingTalkSettings:
        if self.webhook_url is None and self.access_token is None:
            raise ValueError("webhook_url or access_token is needed")
        return self


class DingTalkChannel(PartedChannel):
    """Plain text, or Markdown where a template gives it or there is a picture."""

    kind: ClassVar[str] = "dingtalk"
    label: ClassVar[Words] = Words("DingTalk group bot", "钉钉群机器人")
    about: ClassVar[Words] = Words(
        "A custom bot in a DingTalk group; choose the signature as its security.",
        "钉钉群自定义机器人；安全设置请选择「加签」。",
    )
    # 20 in any minute: five at once and 15 more.
    usual_rate_per_minute: ClassVar[float] = 16
    usual_burst: ClassVar[int] = 5
    # All of the request is 20,000 bytes at most.
    size: ClassVar[int] = 18_000
    measure: ClassVar[Measure] = json_bytes
    speaks_markdown: ClassVar[bool] = True
    Settings: ClassVar[type[ChannelSettings]] = DingTalkSettings

    def __init__(self, settings: DingTalkSettings) -> None:
        self.settings = settings

    def send_part(self, part: Part) -> Outcome:
        """Delivered is `errcode` 0."""
        answer = http.post_json(self._url(), _body(part))
        return answer if isinstance(answer, Outcome) else CODES.outcome(answer)

    def _url(self) -> str:
        chosen = self.settings
        if chosen.webhook_url is not None:
            url = http.moved(chosen.webhook_url, chosen.base_url)
        else:
            base = chosen.base_url or AnyHttpUrl("https://oapi.dingtalk.com")
            url = http.address(base, f"/robot/send?access_token={chosen.access_token}")
        return url + (_signature(chosen.secret) if chosen.secret else "")


def _signature(secret: str) -> str:
    now_ms = int(clock.utcnow().timestamp() * 1000)
    digest = hmac.new(secret.encode(), f"{now_ms}\n{secret}".encode(), hashlib.sha256).digest()
    return f"&timestamp={now_ms}&sign={quote_plus(base64.b64encode(digest))}"


def _body(part: Part) -> dict[str, Any]:
    if part.markup or part.image_url:
        picture = f"![]({part.image_url})\n\n" if part.image_url else ""
        text = f"#### {part.title}\n\n{picture}{part.below_title()}"
        return {"msgtype": "markdown", "markdown": {"title": part.title, "text": text}}
    return {"msgtype": "text", "text": {"content": part.body()}}


CHANNEL = DingTalkChannel
