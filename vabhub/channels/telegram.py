"""Telegram bots: HTML messages, repaired where Telegram says how (https://core.telegram.org/bots/api)."""

from __future__ import annotations

from dataclasses import replace
from html import escape
from typing import Annotated, Any, ClassVar

from pydantic import AnyHttpUrl, BeforeValidator, Field

from vabhub.channels import answers, http
from vabhub.channels.base import ChannelSettings, Message, Outcome, OutcomeKind, Words, setting
from vabhub.channels.parts import Part, PartedChannel
from vabhub.channels.text import Measure, utf16_units

# 400 and 403 answers that speak of the chat or the bot, not of this text.
CHANNEL_FAULTS = (
    "chat not found",
    "blocked by the user",
    "user is deactivated",
    "bot was kicked",
    "group chat was deleted",
    "bot is not a member",
    "chat_write_forbidden",
    "not enough rights",
    "have no rights",
    "peer_id_invalid",
    "topic_closed",
    "message thread not found",
)


def _chat_id(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


ChatId = Annotated[str, BeforeValidator(_chat_id), Field(pattern=r"^(-?[0-9]{1,20}|@[A-Za-z0-9_]{4,64})$")]


class TelegramSettings(ChannelSettings):
    """`base_url` may point to a self-hosted Bot API server or a proxy."""

    bot_token: str = setting(
        Words("Bot token", "机器人令牌"),
        hint=Words("From @BotFather, for example 123456:ABC…", "由 @BotFather 提供，例如 123456:ABC…"),
        secret=True,
        pattern=r"^[0-9]{1,20}:[A-Za-z0-9_-]{10,100}$",
    )
    chat_id: ChatId = setting(
        Words("Chat", "会话"),
        hint=Words("Number of the chat or group, or @channel", "聊天或群组的编号，或 @频道名"),
    )
    base_url: AnyHttpUrl = setting(
        Words("Server", "服务器"),
        AnyHttpUrl("https://api.telegram.org"),
        hint=Words(
            "Another one for a proxy or your own Bot API server", "使用代理或自建 Bot API 服务器时更改"
        ),
    )


class TelegramChannel(PartedChannel):
    """Sends `sendPhoto` where the picture's caption holds all of the text, otherwise `sendMessage`."""

    kind: ClassVar[str] = "telegram"
    label: ClassVar[Words] = Words("Telegram", "Telegram")
    about: ClassVar[Words] = Words(
        "A bot writes to you, a group or a channel. Make one with @BotFather and write it a first message.",
        "由机器人发送给您、群组或频道。请通过 @BotFather 创建机器人，并先给它发一条消息。",
    )
    # About one a second to a chat; a group takes 20 a minute, and says so with a 429.
    usual_rate_per_minute: ClassVar[float] = 60
    size: ClassVar[int] = 4096
    picture_size: ClassVar[int | None] = 1024
    measure: ClassVar[Measure] = utf16_units
    Settings: ClassVar[type[ChannelSettings]] = TelegramSettings

    def __init__(self, settings: TelegramSettings) -> None:
        self.settings = settings
        self.chat_id = settings.chat_id

    def send(self, message: Message) -> Outcome:
        """Delivered is what Telegram calls `ok: true`, nothing else."""
        outcome = super().send(message)
        if self.chat_id == self.settings.chat_id:
            return outcome
        return replace(outcome, settings_update={"chat_id": self.chat_id})

    def has_markup(self, message: Message) -> bool:
        """The title is bold."""
        return True

    def send_part(self, part: Part) -> Outcome:
        """Call the Bot API, once more for a group that has become a supergroup."""
        outcome, said = self._call(part)
        new_chat = _parameters(said).get("migrate_to_chat_id")
        if isinstance(new_chat, int) and str(new_chat) != self.chat_id:
            self.chat_id = str(new_chat)
            outcome, _ = self._call(part)
        return outcome

    def _call(self, part: Part) -> tuple[Outcome, dict[str, Any]]:
        method, body = _request(part)
        url = http.address(self.settings.base_url, f"/bot{self.settings.bot_token}/{method}")
        answer = http.post_json(url, {"chat_id": self.chat_id} | body)
        if isinstance(answer, Outcome):
            return answer, {}
        said = answers.json_object(answer)
        return _outcome(answer, said), said


def _request(part: Part) -> tuple[str, dict[str, Any]]:
    body: dict[str, Any] = {"disable_notification": part.message.priority == "low"}
    if part.markup:
        body["parse_mode"] = "HTML"
        bold = replace(part, title="", text=_quote(part.text), link=_quote(part.link or ""))
        text = f"<b>{_quote(part.title)}</b>\n\n{bold.below_title()}".rstrip()
    else:
        text = part.body()
    if part.image_url:
        return "sendPhoto", body | {"photo": part.image_url, "caption": text}
    return "sendMessage", body | {"text": text}


def _quote(text: str) -> str:
    return escape(text, quote=False)


def _parameters(said: dict[str, Any]) -> dict[str, Any]:
    found = said.get("parameters")
    return found if isinstance(found, dict) else {}


def _outcome(answer: http.Answer, said: dict[str, Any]) -> Outcome:
    if "ok" not in said:
        return answers.not_the_providers(answer)
    if said["ok"] is True:
        return Outcome(OutcomeKind.OK, "ok", answer.status)
    text = str(said.get("description", answer.text))
    code = said.get("error_code", answer.status)
    if code == 429:
        wait_s = answers.wait_s(answer, said)
        return Outcome(OutcomeKind.RATE_LIMITED, text, 429, retry_after_s=wait_s)
    too_long = "is too long" in text.lower()
    return Outcome(_fault(code, text.lower()), text, answer.status, too_long=too_long)


def _fault(code: object, description: str) -> OutcomeKind:
    if code in {401, 403, 404} or any(fault in description for fault in CHANNEL_FAULTS):
        return OutcomeKind.PERMANENT_CHANNEL
    return OutcomeKind.PERMANENT_MESSAGE if code in {400, 413} else OutcomeKind.TRANSIENT


CHANNEL = TelegramChannel
