"""ntfy, hosted or your own server (https://docs.ntfy.sh/publish/)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

from pydantic import AnyHttpUrl

from vabhub import clock
from vabhub.channels import answers, http
from vabhub.channels.base import ChannelSettings, Outcome, OutcomeKind, Words, setting
from vabhub.channels.parts import Part, PartedChannel
from vabhub.channels.text import Measure, utf8_bytes

PRIORITIES = {"urgent": 5, "high": 4, "normal": 3, "low": 2}
TAGS = {"success": "white_check_mark", "warning": "warning", "error": "rotating_light"}
DAY_IS_OVER = 42908
# It sends no Retry-After; its bucket gives one message every 5 s.
USUAL_WAIT_S = 10.0


class NtfySettings(ChannelSettings):
    """`token` is an access token, for a topic that is not open to all."""

    topic: str = setting(
        Words("Topic", "主题"),
        hint=Words(
            "On a public server whoever knows it can read along: choose one that nobody guesses",
            "在公共服务器上，知道主题名的人都能读取：请选一个不易猜到的名称",
        ),
        pattern=r"^[-_A-Za-z0-9]{1,64}$",
    )
    token: str | None = setting(
        Words("Access token", "访问令牌"), None, secret=True, pattern=r"^[A-Za-z0-9_-]{4,128}$"
    )
    base_url: AnyHttpUrl = setting(Words("Server", "服务器"), AnyHttpUrl("https://ntfy.sh"))


class NtfyChannel(PartedChannel):
    """A text over 4096 bytes would become an attachment, so it goes in parts."""

    kind: ClassVar[str] = "ntfy"
    label: ClassVar[Words] = Words("ntfy", "ntfy")
    about: ClassVar[Words] = Words(
        "Push messages to phones and browsers that follow a topic.", "推送到订阅了主题的手机和浏览器。"
    )
    # ntfy.sh gives 60 at once and one more every 5 s.
    usual_rate_per_minute: ClassVar[float] = 12
    usual_burst: ClassVar[int] = 30
    size: ClassVar[int] = 4000
    title_size: ClassVar[int | None] = 255
    link_apart: ClassVar[bool] = True
    measure: ClassVar[Measure] = utf8_bytes
    speaks_markdown: ClassVar[bool] = True
    Settings: ClassVar[type[ChannelSettings]] = NtfySettings

    def __init__(self, settings: NtfySettings) -> None:
        self.settings = settings

    def send_part(self, part: Part) -> Outcome:
        """Delivered is ntfy's own record of the message."""
        headers = {"authorization": f"Bearer {self.settings.token}"} if self.settings.token else {}
        url = http.address(self.settings.base_url, "/")
        answer = http.post_json(url, self._body(part), headers=headers)
        return answer if isinstance(answer, Outcome) else _outcome(answer)

    def _body(self, part: Part) -> dict[str, Any]:
        tag = TAGS.get(part.message.type)
        body: dict[str, Any] = {
            "topic": self.settings.topic,
            "title": part.title,
            "message": part.text,
            "priority": PRIORITIES.get(part.message.priority, 3),
            "tags": [tag] if tag else None,
            "click": part.link,
            "attach": part.image_url,
            "markdown": True if part.markup else None,
        }
        return {name: value for name, value in body.items() if value is not None}


def _outcome(answer: http.Answer) -> Outcome:
    said = answers.json_object(answer)
    if answer.status == 200 and said.get("id") and said.get("event") == "message":
        return Outcome(OutcomeKind.OK, f"taken as {said['id']}", answer.status)
    code = said.get("code")
    if not isinstance(code, int):
        return answers.not_the_providers(answer)
    outcome = Outcome(_fault(answer.status), f"{code} {said.get('error', '')}", answer.status)
    if outcome.kind is not OutcomeKind.RATE_LIMITED:
        return replace(outcome, too_long=answer.status == 413)
    asked_s = answers.wait_s(answer, said)
    usual_s = answers.until_midnight_s(clock.utcnow()) if code == DAY_IS_OVER else USUAL_WAIT_S
    return replace(outcome, retry_after_s=asked_s or usual_s)


def _fault(status: int) -> OutcomeKind:
    if status == 429:
        return OutcomeKind.RATE_LIMITED
    if status in {401, 403}:
        return OutcomeKind.PERMANENT_CHANNEL
    return OutcomeKind.PERMANENT_MESSAGE if status in {400, 413} else OutcomeKind.TRANSIENT


CHANNEL = NtfyChannel
