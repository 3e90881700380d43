"""Slack's incoming webhooks (https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks)."""

from __future__ import annotations

from html import escape
from typing import Any, ClassVar

from pydantic import AnyHttpUrl

from vabhub.channels import answers, http
from vabhub.channels.base import ChannelSettings, Message, Outcome, OutcomeKind, Words, setting
from vabhub.channels.parts import Part, PartedChannel
from vabhub.channels.text import Measure, characters

# Slack answers with a word. These speak of the webhook or its channel, not of this text.
CHANNEL_FAULTS = frozenset(
    {
        "action_prohibited",
        "channel_is_archived",
        "channel_not_found",
        "invalid_token",
        "no_active_hooks",
        "no_service",
        "no_service_id",
        "no_team",
        "posting_to_general_channel_denied",
        "team_disabled",
        "user_not_found",
    }
)
MESSAGE_FAULTS = frozenset({"invalid_payload", "invalid_blocks", "no_text", "too_many_attachments"})
TOO_LONG = "msg_too_long"


class SlackSettings(ChannelSettings):
    """The address holds the token, so all of it is secret."""

    webhook_url: AnyHttpUrl = setting(
        Words("Webhook address", "Webhook 地址"),
        hint=Words("From your Slack app, Incoming Webhooks", "在 Slack 应用的 Incoming Webhooks 中获取"),
        secret=True,
    )
    base_url: AnyHttpUrl | None = setting(
        Words("Server", "服务器"),
        None,
        hint=Words("Only for a proxy or gateway of your own", "仅在使用自己的代理或网关时填写"),
    )


def escaped(text: str) -> str:
    """Return `text` so that Slack takes no part of it for a link or a mention."""
    return escape(text, quote=False)


def _length(text: str) -> int:
    return characters(escaped(text))


class SlackChannel(PartedChannel):
    """Blocks with the picture, without them a plain text."""

    kind: ClassVar[str] = "slack"
    label: ClassVar[Words] = Words("Slack", "Slack")
    about: ClassVar[Words] = Words(
        "An incoming webhook of a Slack channel.", "Slack 频道的 Incoming Webhook。"
    )
    usual_rate_per_minute: ClassVar[float] = 56
    usual_burst: ClassVar[int] = 5
    # A block of text holds 3000 characters.
    size: ClassVar[int] = 2900
    measure: ClassVar[Measure] = _length
    Settings: ClassVar[type[ChannelSettings]] = SlackSettings

    def __init__(self, settings: SlackSettings) -> None:
        self.settings = settings

    def has_markup(self, message: Message) -> bool:
        """The title is bold."""
        return True

    def send_part(self, part: Part) -> Outcome:
        """Delivered is the answer `ok`."""
        answer = http.post_json(http.moved(self.settings.webhook_url, self.settings.base_url), _body(part))
        return answer if isinstance(answer, Outcome) else _outcome(answer)


def _body(part: Part) -> dict[str, Any]:
    plain = {"text": escaped(part.body()), "mrkdwn": False}
    if not part.markup:
        return plain
    title = escaped(part.title).replace("*", "∗")
    text = f"*{title}*\n{escaped(part.below_title())}".rstrip()
    # Verbatim: no @name and #channel of a text becomes a mention.
    blocks: list[dict[str, Any]] = [
        {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}
    ]
    if part.image_url:
        blocks.append({"type": "image", "image_url": part.image_url, "alt_text": part.title})
    return plain | {"blocks": blocks}


def _outcome(answer: http.Answer) -> Outcome:
    word = answer.text.strip()
    if answer.status == 200 and word == "ok" and answer.complete:
        return Outcome(OutcomeKind.OK, word, answer.status)
    if answer.status == 429:
        wait_s = answers.wait_s(answer, answers.json_object(answer))
        return Outcome(OutcomeKind.RATE_LIMITED, word, 429, retry_after_s=wait_s)
    if word in CHANNEL_FAULTS:
        return Outcome(OutcomeKind.PERMANENT_CHANNEL, word, answer.status)
    if word in MESSAGE_FAULTS or word == TOO_LONG:
        return Outcome(OutcomeKind.PERMANENT_MESSAGE, word, answer.status, too_long=word == TOO_LONG)
    return answers.not_the_providers(answer)


CHANNEL = SlackChannel
