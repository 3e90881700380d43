"""ServerChan, which writes to WeChat (https://sct.ftqq.com, https://sc3.ft07.com)."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import ClassVar

from pydantic import AnyHttpUrl

from vabhub import clock
from vabhub.channels import http
from vabhub.channels.answers import CHINA, Codes, until_midnight_s
from vabhub.channels.base import ChannelSettings, Outcome, OutcomeKind, Words, setting
from vabhub.channels.parts import Part, PartedChannel
from vabhub.channels.text import Measure, utf8_bytes

# 40001 is a wrong key as well as the end of a day's share: only the words tell them apart.
CODES = Codes(code=("code", "errno"), words=("message", "info", "errmsg"), channel=frozenset({20001, 40001}))
DAY_IS_OVER = re.compile("次数|额度|上限|limit", re.IGNORECASE)
NEWER_KEY = re.compile(r"sctp(\d+)t")


class ServerChanSettings(ChannelSettings):
    """`base_url` follows from the key."""

    send_key: str = setting(
        Words("SendKey", "SendKey"),
        hint=Words("SCT… or sctp…", "以 SCT 或 sctp 开头"),
        secret=True,
        pattern=r"^[A-Za-z0-9]{8,128}$",
    )
    base_url: AnyHttpUrl | None = setting(
        Words("Server", "服务器"),
        None,
        hint=Words("Only for a proxy or gateway of your own", "仅在使用自己的代理或网关时填写"),
    )


class ServerChanChannel(PartedChannel):
    """The text is Markdown there, so plain text is put line by line."""

    kind: ClassVar[str] = "serverchan"
    label: ClassVar[Words] = Words("ServerChan", "Server 酱")
    about: ClassVar[Words] = Words(
        "Writes to your WeChat. The free plan carries few messages a day.",
        "推送到您的微信。免费版每天可发送的条数有限。",
    )
    size: ClassVar[int] = 30_000
    title_size: ClassVar[int | None] = 32
    measure: ClassVar[Measure] = utf8_bytes
    speaks_markdown: ClassVar[bool] = True
    Settings: ClassVar[type[ChannelSettings]] = ServerChanSettings

    def __init__(self, settings: ServerChanSettings) -> None:
        self.settings = settings

    def send_part(self, part: Part) -> Outcome:
        """Delivered is `code` 0: ServerChan has it in its queue."""
        text = part.below_title()
        picture = f"![]({part.image_url})\n\n" if part.image_url else ""
        # A newline alone is none in Markdown.
        shown = text if part.markup else text.replace("\n", "  \n")
        answer = http.post_json(self._url(), {"title": part.title, "desp": picture + shown})
        return answer if isinstance(answer, Outcome) else _outcome(answer)

    def _url(self) -> str:
        key = self.settings.send_key
        newer = NEWER_KEY.match(key)
        usual = f"https://{newer[1]}.push.ft07.com" if newer else "https://sctapi.ftqq.com"
        path = f"/send/{key}.send" if newer else f"/{key}.send"
        return http.address(self.settings.base_url or AnyHttpUrl(usual), path)


def _outcome(answer: http.Answer) -> Outcome:
    outcome = CODES.outcome(answer)
    if outcome.kind is OutcomeKind.PERMANENT_CHANNEL and DAY_IS_OVER.search(outcome.text):
        return replace(
            outcome, kind=OutcomeKind.RATE_LIMITED, retry_after_s=until_midnight_s(clock.utcnow(), CHINA)
        )
    return outcome


CHANNEL = ServerChanChannel
