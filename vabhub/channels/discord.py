"""Discord webhooks (https://discord.com/developers/docs/resources/webhook#execute-webhook)."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from pydantic import AnyHttpUrl

from vabhub.channels import answers, http
from vabhub.channels.base import ChannelSettings, Message, Outcome, OutcomeKind, Words, setting
from vabhub.channels.parts import Part, PartedChannel
from vabhub.channels.text import Measure, cut, utf16_units

COLOURS = {"success": 0x2E9E5B, "warning": 0xC98A00, "error": 0xD23B3B, "info": 0x3B76D2}
# 10015 unknown webhook, 50027 invalid token, 50013 and 50001 no right, 10003 the channel is gone.
CHANNEL_FAULTS = frozenset({10003, 10015, 40001, 50001, 50013, 50027})
TITLE_UNITS = 256
_MARKUP = re.compile(r"([\\*_~`|>#\[\]()<:@-])")


class DiscordSettings(ChannelSettings):
    """The address holds the token, so all of it is secret."""

    webhook_url: AnyHttpUrl = setting(
        Words("Webhook address", "Webhook 地址"),
        hint=Words("Channel settings, Integrations, Webhooks", "频道设置 → 整合 → Webhook"),
        secret=True,
    )
    base_url: AnyHttpUrl | None = setting(
        Words("Server", "服务器"),
        None,
        hint=Words("Only for a proxy or gateway of your own", "仅在使用自己的代理或网关时填写"),
    )


def escaped(text: str) -> str:
    """Return `text` so that Discord shows it as it is."""
    return _MARKUP.sub(r"\\\1", text)


def _units(text: str) -> int:
    return utf16_units(escaped(text))


class DiscordChannel(PartedChannel):
    """A card with the type's colour; without it a plain text. Nobody is ever mentioned."""

    kind: ClassVar[str] = "discord"
    label: ClassVar[Words] = Words("Discord", "Discord")
    about: ClassVar[Words] = Words("A webhook of a Discord channel.", "Discord 频道的 Webhook。")
    # Five in two seconds and 30 a minute to a webhook.
    usual_rate_per_minute: ClassVar[float] = 26
    usual_burst: ClassVar[int] = 5
    size: ClassVar[int] = 2000
    measure: ClassVar[Measure] = _units
    speaks_markdown: ClassVar[bool] = True
    Settings: ClassVar[type[ChannelSettings]] = DiscordSettings

    def __init__(self, settings: DiscordSettings) -> None:
        self.settings = settings

    def has_markup(self, message: Message) -> bool:
        """The card is one."""
        return True

    def send_part(self, part: Part) -> Outcome:
        """Delivered is Discord's own record of the message, which `wait` asks for."""
        url = http.moved(self.settings.webhook_url, self.settings.base_url)
        url += ("&" if "?" in url else "?") + "wait=true"
        answer = http.post_json(url, _body(part))
        return answer if isinstance(answer, Outcome) else _outcome(answer)


def _body(part: Part) -> dict[str, Any]:
    nobody: dict[str, Any] = {"allowed_mentions": {"parse": []}}
    if not part.markup:
        return nobody | {"content": escaped(part.body())}
    is_markdown = part.message.markdown is not None
    card: dict[str, Any] = {
        "title": cut(escaped(part.title), TITLE_UNITS, utf16_units),
        "description": part.text if is_markdown else escaped(part.text),
        "color": COLOURS.get(part.message.type, COLOURS["info"]),
    }
    if part.link:
        card["url"] = part.link
    if part.image_url:
        card["image"] = {"url": part.image_url}
    return nobody | {"embeds": [card]}


def _outcome(answer: http.Answer) -> Outcome:
    said = answers.json_object(answer)
    if answer.status == 200 and said.get("id") and "code" not in said:
        return Outcome(OutcomeKind.OK, f"taken as {said['id']}", answer.status)
    if "message" not in said:
        return answers.not_the_providers(answer)
    code = said.get("code")
    text = f"{code or answer.status} {said['message']} {said.get('errors') or ''}".strip()
    if answer.status == 429:
        return Outcome(OutcomeKind.RATE_LIMITED, text, 429, retry_after_s=answers.wait_s(answer, said))
    if code in CHANNEL_FAULTS or answer.status in {401, 403, 404}:
        return Outcome(OutcomeKind.PERMANENT_CHANNEL, text, answer.status)
    refused = answer.status in {400, 413}
    kind = OutcomeKind.PERMANENT_MESSAGE if refused else OutcomeKind.TRANSIENT
    return Outcome(kind, text, answer.status, too_long=refused and "MAX_LENGTH" in text)


CHANNEL = DiscordChannel
