"""PushPlus, which writes to WeChat (https://www.pushplus.plus/doc/)."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from pydantic import AnyHttpUrl

from vabhub import clock
from vabhub.channels import http
from vabhub.channels.answers import CHINA, Codes, until_midnight_s
from vabhub.channels.base import ChannelSettings, Outcome, OutcomeKind, Words, setting
from vabhub.channels.parts import Part, PartedChannel
from vabhub.channels.text import Measure, characters

STOP_FOR_THE_DAY = 900
# 888: no points left. 903: wrong token. 905: the account's owner has not proved who he is.
CODES = Codes(
    code=("code",),
    words=("msg",),
    ok=frozenset({200}),
    channel=frozenset({401, 403, 805, 888, 903, 905}),
    message=frozenset({600}),
    waits_s={STOP_FOR_THE_DAY: 3600.0},
)


class PushPlusSettings(ChannelSettings):
    """`topic` sends to a group of readers instead of to the owner."""

    token: str = setting(Words("Token", "Token"), secret=True, pattern=r"^[A-Za-z0-9]{8,128}$")
    topic: str | None = setting(
        Words("Group", "群组编码"),
        None,
        hint=Words("Empty: only you", "留空则只发给自己"),
        max_length=100,
    )
    base_url: AnyHttpUrl = setting(Words("Server", "服务器"), AnyHttpUrl("https://www.pushplus.plus"))


class PushPlusChannel(PartedChannel):
    """Plain text, or Markdown where a template gives it."""

    kind: ClassVar[str] = "pushplus"
    label: ClassVar[Words] = Words("PushPlus", "PushPlus 推送加")
    about: ClassVar[Words] = Words(
        "Writes to your WeChat. The account's owner must have proved who he is.",
        "推送到您的微信。账号需已完成实名认证。",
    )
    size: ClassVar[int] = 19_000
    title_size: ClassVar[int | None] = 100
    measure: ClassVar[Measure] = characters
    speaks_markdown: ClassVar[bool] = True
    Settings: ClassVar[type[ChannelSettings]] = PushPlusSettings

    def __init__(self, settings: PushPlusSettings) -> None:
        self.settings = settings

    def send_part(self, part: Part) -> Outcome:
        """Delivered is `code` 200 in the answer, not HTTP 200."""
        template = "markdown" if part.markup or part.image_url else "txt"
        picture = f"![]({part.image_url})\n\n" if part.image_url else ""
        body = {
            "token": self.settings.token,
            "title": part.title,
            "content": picture + part.below_title(),
            "template": template,
        }
        if self.settings.topic:
            body["topic"] = self.settings.topic
        answer = http.post_json(http.address(self.settings.base_url, "/send"), body)
        return answer if isinstance(answer, Outcome) else _outcome(answer)


def _outcome(answer: http.Answer) -> Outcome:
    outcome = CODES.outcome(answer)
    if outcome.kind is OutcomeKind.RATE_LIMITED and outcome.text.startswith(str(STOP_FOR_THE_DAY)):
        return replace(outcome, retry_after_s=until_midnight_s(clock.utcnow(), CHINA))
    return outcome


CHANNEL = PushPlusChannel
