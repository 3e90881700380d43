"""Gotify, your own push server (https://gotify.net/docs/pushmsg)."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import AnyHttpUrl

from vabhub.channels import answers, http
from vabhub.channels.base import ChannelSettings, Outcome, OutcomeKind, Words, setting
from vabhub.channels.parts import Part, PartedChannel
from vabhub.channels.text import Measure, utf8_bytes

PRIORITIES = {"urgent": 10, "high": 8, "normal": 5, "low": 2}


class GotifySettings(ChannelSettings):
    """The token is an application's, not a client's."""

    base_url: AnyHttpUrl = setting(
        Words("Server", "服务器"), hint=Words("Address of your Gotify", "您的 Gotify 地址")
    )
    token: str = setting(
        Words("Application token", "应用令牌"),
        hint=Words("Apps, then create an application", "在「应用」中创建"),
        secret=True,
        pattern=r"^[A-Za-z0-9._-]{4,128}$",
    )


class GotifyChannel(PartedChannel):
    """The picture and the link go along as extras, which Gotify's apps know."""

    kind: ClassVar[str] = "gotify"
    label: ClassVar[Words] = Words("Gotify", "Gotify")
    about: ClassVar[Words] = Words(
        "Push messages through a Gotify server of your own.", "通过自建的 Gotify 服务器推送。"
    )
    # Gotify names no limit; its apps become slow beyond this.
    size: ClassVar[int] = 32_000
    title_size: ClassVar[int | None] = 255
    link_apart: ClassVar[bool] = True
    measure: ClassVar[Measure] = utf8_bytes
    speaks_markdown: ClassVar[bool] = True
    Settings: ClassVar[type[ChannelSettings]] = GotifySettings

    def __init__(self, settings: GotifySettings) -> None:
        self.settings = settings

    def send_part(self, part: Part) -> Outcome:
        """Delivered is Gotify's own record of the message."""
        url = http.address(self.settings.base_url, "/message")
        answer = http.post_json(url, _body(part), headers={"x-gotify-key": self.settings.token})
        return answer if isinstance(answer, Outcome) else _outcome(answer)


def _body(part: Part) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    if part.link:
        shown["click"] = {"url": part.link}
    if part.image_url:
        shown["bigImageUrl"] = part.image_url
    kind = "text/markdown" if part.markup else "text/plain"
    extras = {"client::display": {"contentType": kind}} | ({"client::notification": shown} if shown else {})
    return {
        "title": part.title,
        "message": part.text or part.title,
        "priority": PRIORITIES.get(part.message.priority, 5),
        "extras": extras,
    }


def _outcome(answer: http.Answer) -> Outcome:
    said = answers.json_object(answer)
    if answer.status == 200 and isinstance(said.get("id"), int) and "error" not in said:
        return Outcome(OutcomeKind.OK, f"taken as {said['id']}", answer.status)
    if "errorCode" not in said:
        return answers.not_the_providers(answer)
    text = f"{said.get('error', '')}: {said.get('errorDescription', '')}"
    if answer.status == 429:
        return Outcome(OutcomeKind.RATE_LIMITED, text, 429, retry_after_s=answers.wait_s(answer, said))
    return Outcome(_fault(answer.status), text, answer.status, too_long=answer.status == 413)


def _fault(status: int) -> OutcomeKind:
    if status in {401, 403}:
        return OutcomeKind.PERMANENT_CHANNEL
    return OutcomeKind.PERMANENT_MESSAGE if status in {400, 413} else OutcomeKind.TRANSIENT


CHANNEL = GotifyChannel
