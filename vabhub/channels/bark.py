"""Bark, push messages to iPhones, hosted or your own server (https://github.com/Finb/bark-server)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

from pydantic import AnyHttpUrl

from vabhub.channels import answers, http
from vabhub.channels.answers import Codes
from vabhub.channels.base import ChannelSettings, Outcome, OutcomeKind, Words, setting
from vabhub.channels.parts import Part, PartedChannel
from vabhub.channels.text import Measure, json_bytes

LEVELS = {"urgent": "critical", "high": "timeSensitive", "normal": "active", "low": "passive"}
CODES = Codes(code=("code",), words=("message",), ok=frozenset({200}))
# The device is gone for good; any other failed push may work later.
GONE = ("failed to get device token", "baddevicetoken", "unregistered", "devicetokennotfortopic")


class BarkSettings(ChannelSettings):
    """`base_url` may be your own Bark server."""

    device_key: str = setting(
        Words("Device key", "设备 Key"),
        hint=Words("As the app shows it", "见 Bark 应用首页"),
        secret=True,
        pattern=r"^[A-Za-z0-9_-]{4,128}$",
    )
    group: str | None = setting(Words("Group", "分组"), None, max_length=100)
    sound: str | None = setting(Words("Sound", "铃声"), None, pattern=r"^[A-Za-z0-9_.-]{1,64}$")
    base_url: AnyHttpUrl = setting(Words("Server", "服务器"), AnyHttpUrl("https://api.day.app"))


class BarkChannel(PartedChannel):
    """A notification of Apple's holds 4 KB in all, the picture's and the link's address included."""

    kind: ClassVar[str] = "bark"
    label: ClassVar[Words] = Words("Bark", "Bark")
    about: ClassVar[Words] = Words(
        "Push messages to an iPhone with the app Bark.", "通过 Bark 应用推送到 iPhone。"
    )
    size: ClassVar[int] = 2500
    title_size: ClassVar[int | None] = 120
    link_apart: ClassVar[bool] = True
    measure: ClassVar[Measure] = json_bytes
    speaks_markdown: ClassVar[bool] = True
    Settings: ClassVar[type[ChannelSettings]] = BarkSettings

    def __init__(self, settings: BarkSettings) -> None:
        self.settings = settings

    def send_part(self, part: Part) -> Outcome:
        """Delivered is `code` 200: Apple's server took it."""
        body: dict[str, Any] = {
            "device_key": self.settings.device_key,
            "title": part.title,
            "markdown" if part.markup else "body": part.text,
            "level": LEVELS.get(part.message.priority, "active"),
            "group": self.settings.group,
            "sound": self.settings.sound,
            "url": part.link,
            "image": part.image_url,
        }
        given = {name: value for name, value in body.items() if value is not None}
        answer = http.post_json(http.address(self.settings.base_url, "/push"), given)
        return answer if isinstance(answer, Outcome) else _outcome(answer)


def _outcome(answer: http.Answer) -> Outcome:
    outcome = CODES.outcome(answer)
    code, words = CODES.of(answers.json_object(answer)), outcome.text.lower()
    if code is None or outcome.kind is not OutcomeKind.TRANSIENT:
        return outcome
    if any(fault in words for fault in GONE) or code in {401, 403}:
        return replace(outcome, kind=OutcomeKind.PERMANENT_CHANNEL)
    if "payloadtoolarge" in words or code == 413:
        return replace(outcome, kind=OutcomeKind.PERMANENT_MESSAGE, too_long=True)
    return replace(outcome, kind=OutcomeKind.PERMANENT_MESSAGE) if code == 400 else outcome


CHANNEL = BarkChannel
