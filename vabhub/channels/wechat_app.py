"""WeCom applications: a token, then the message (https://developer.work.weixin.qq.com/document/path/90236)."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from pydantic import AnyHttpUrl

from vabhub.channels import answers, http
from vabhub.channels.answers import Codes
from vabhub.channels.base import ChannelSettings, Outcome, OutcomeKind, Words, setting
from vabhub.channels.parts import Part, PartedChannel
from vabhub.channels.text import Measure, cut_utf8, utf8_bytes

# 60020: this address is not on the application's list. 81013, 82001: the recipients.
CODES = Codes(
    code=("errcode",),
    words=("errmsg",),
    channel=frozenset({40001, 40013, 40056, 41004, 48002, 60011, 60020, 301002}),
    message=frozenset({40008, 40031, 40033, 44004, 81013, 82001}),
    too_long=frozenset({40058, 45002}),
    waits_s={45009: 60.0, 45033: 60.0},
)
TOKEN_IS_OLD = frozenset({40001, 40014, 42001})
CARD_TITLE_BYTES, CARD_TEXT_BYTES = 128, 512
# A token is asked for anew a little before its time.
EARLY_S = 300.0

_tokens: dict[tuple[str, str, str], _Token] = {}
_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    good_until: float  # monotonic


class ApplicationSettings(ChannelSettings):
    """`to_user` takes WeCom's own form: ids with | between them, or @all."""

    corp_id: str = setting(Words("Company ID", "企业 ID"), pattern=r"^[A-Za-z0-9_-]{4,64}$")
    corp_secret: str = setting(
        Words("Secret", "应用 Secret"),
        hint=Words("Of the application", "自建应用的 Secret"),
        secret=True,
        pattern=r"^[A-Za-z0-9_-]{8,128}$",
    )
    agent_id: int = setting(Words("Agent ID", "AgentId"), ge=1, le=2**31)
    to_user: str = setting(
        Words("To", "接收人"),
        "@all",
        hint=Words("User ids with | between them, or @all", "成员 ID，以 | 分隔，或 @all"),
        min_length=1,
        max_length=1000,
    )
    base_url: AnyHttpUrl = setting(
        Words("Server", "服务器"),
        AnyHttpUrl("https://qyapi.weixin.qq.com"),
        hint=Words("Change it for a proxy whose address WeCom knows", "使用企业可信 IP 的代理时更改"),
    )


class ApplicationChannel(PartedChannel):
    """Asks WeCom to drop a repeat, and follows its refusals by number."""

    kind: ClassVar[str] = "wechat_app"
    label: ClassVar[Words] = Words("WeCom application", "企业微信应用")
    about: ClassVar[Words] = Words(
        "An application of your own in WeCom. Its trusted addresses must hold the one VabHub calls from.",
        "企业微信自建应用。请把 VabHub 的出口 IP 加入应用的可信 IP。",
    )
    usual_rate_per_minute: ClassVar[float] = 26
    usual_burst: ClassVar[int] = 5
    size: ClassVar[int] = 2048
    picture_size: ClassVar[int | None] = CARD_TEXT_BYTES
    measure: ClassVar[Measure] = utf8_bytes
    speaks_markdown: ClassVar[bool] = True
    Settings: ClassVar[type[ChannelSettings]] = ApplicationSettings

    def __init__(self, settings: ApplicationSettings) -> None:
        self.settings = settings

    def send_part(self, part: Part) -> Outcome:
        """Delivered is `errcode` 0; a token that is refused is asked for anew, once."""
        outcome, code = self._try(part)
        if code in TOKEN_IS_OLD:
            self._forget()
            outcome, code = self._try(part)
            if code in TOKEN_IS_OLD:
                self._forget()
        return outcome

    def _try(self, part: Part) -> tuple[Outcome, int | None]:
        token = self._token()
        if isinstance(token, Outcome):
            return token, None
        url = http.address(self.settings.base_url, f"/cgi-bin/message/send?access_token={token}")
        answer = http.post_json(url, self._body(part))
        if isinstance(answer, Outcome):
            return answer, None
        said = answers.json_object(answer)
        outcome, code = CODES.outcome(answer), CODES.of(said)
        outcome = replace(outcome, text=outcome.text.replace(token, "***"))  # a provider may echo the address
        if outcome.kind is OutcomeKind.OK and (left_out := said.get("invaliduser")):
            return Outcome(OutcomeKind.OK, f"0 without {left_out}", answer.status), code
        return outcome, code

    def _body(self, part: Part) -> dict[str, Any]:
        return {
            "touser": self.settings.to_user,
            "agentid": self.settings.agent_id,
            # Only on a retry, whose first answer may have been lost: two alike may be meant.
            "enable_duplicate_check": int(part.message.is_retry),
            **_content(part),
        }

    def _token(self) -> str | Outcome:
        key = self._key()
        with _lock:
            known = _tokens.get(key)
        if known is not None and time.monotonic() < known.good_until:
            return known.text
        base, corp_id, secret = key
        url = f"{base.rstrip('/')}/cgi-bin/gettoken"
        answer = http.request("GET", url, params={"corpid": corp_id, "corpsecret": secret})
        if isinstance(answer, Outcome):
            # Nothing of the message has left yet.
            return (
                Outcome(OutcomeKind.TRANSIENT, answer.text)
                if answer.kind is OutcomeKind.UNCERTAIN
                else answer
            )
        return self._keep(answer)

    def _keep(self, answer: http.Answer) -> str | Outcome:
        said = answers.json_object(answer)
        text, lives_s = said.get("access_token"), said.get("expires_in")
        if CODES.of(said) == 0 and isinstance(text, str) and isinstance(lives_s, int | float):
            with _lock:
                _tokens[self._key()] = _Token(text, time.monotonic() + max(lives_s - EARLY_S, 0))
            return text
        outcome = CODES.outcome(answer)
        if outcome.kind in {OutcomeKind.OK, OutcomeKind.UNCERTAIN}:
            return Outcome(OutcomeKind.TRANSIENT, "no token in the answer", answer.status)
        return outcome

    def _forget(self) -> None:
        with _lock:
            _tokens.pop(self._key(), None)

    def _key(self) -> tuple[str, str, str]:
        return str(self.settings.base_url), self.settings.corp_id, self.settings.corp_secret


def _content(part: Part) -> dict[str, Any]:
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


CHANNEL = ApplicationChannel
