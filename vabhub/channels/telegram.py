"""Telegram bots: HTML messages, repaired once where Telegram says how (https://core.telegram.org/bots/api)."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from html import escape
from typing import Annotated, Any, ClassVar

from pydantic import AnyHttpUrl, BeforeValidator, Field

from vabhub.channels import http
from vabhub.channels.base import ChannelSettings, Message, Outcome, OutcomeKind, secret_field
from vabhub.channels.text import cut_utf16, utf16_units

TEXT_UNITS = 4096
CAPTION_UNITS = 1024
MAX_REPAIRS = 3
CHAT_ID = r"^(-?[0-9]{1,20}|@[A-Za-z0-9_]{4,64})$"
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
PICTURE_FAULTS = ("wrong file identifier", "http url", "failed to get http url", "wrong type of the web page")


def _chat_id(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


class TelegramSettings(ChannelSettings):
    """`base_url` may point to a self-hosted Bot API server or a proxy."""

    bot_token: str = secret_field(pattern=r"^[0-9]{1,20}:[A-Za-z0-9_-]{10,100}$")
    chat_id: Annotated[
        str, BeforeValidator(_chat_id), Field(pattern=r"^(-?[0-9]{1,20}|@[A-Za-z0-9_]{4,64})$")
    ]
    base_url: AnyHttpUrl = AnyHttpUrl("https://api.telegram.org")


@dataclass(frozen=True, slots=True)
class _Form:
    """How the message is put this time; a repair changes one of these."""

    chat_id: str
    html: bool = True
    picture: bool = True


class TelegramChannel:
    """Sends `sendPhoto` where the picture's caption holds all of the text, otherwise `sendMessage`."""

    kind: ClassVar[str] = "telegram"
    # About one a second to a chat; a group takes 20 a minute, and says so with a 429.
    usual_rate_per_minute: ClassVar[float] = 60
    to_inbox: ClassVar[bool] = False
    Settings: ClassVar[type[ChannelSettings]] = TelegramSettings

    def __init__(self, settings: TelegramSettings) -> None:
        self.settings = settings

    def send(self, message: Message) -> Outcome:
        """Delivered is what Telegram calls `ok: true`, nothing else."""
        form = _Form(self.settings.chat_id)
        outcome, wrong = self._call(message, form)
        for _ in range(MAX_REPAIRS):
            repaired = _repair(form, wrong)
            if repaired is None or repaired == form:
                break
            form = repaired
            outcome, wrong = self._call(message, form)
        return self._with_new_chat(outcome, form)

    def _call(self, message: Message, form: _Form) -> tuple[Outcome, dict[str, Any]]:
        method, body = _request(message, form)
        base = str(self.settings.base_url).rstrip("/")
        answer = http.request("POST", f"{base}/bot{self.settings.bot_token}/{method}", json=body)
        if isinstance(answer, Outcome):
            return answer, {}
        said = _said(answer)
        return _outcome(answer, said), said

    def _with_new_chat(self, outcome: Outcome, form: _Form) -> Outcome:
        if form.chat_id == self.settings.chat_id:
            return outcome
        return replace(outcome, settings_update={"chat_id": form.chat_id})


def _repair(form: _Form, said: dict[str, Any]) -> _Form | None:
    new_chat = _parameters(said).get("migrate_to_chat_id")
    if isinstance(new_chat, int):
        return replace(form, chat_id=str(new_chat))
    description = str(said.get("description", "")).lower()
    if said.get("error_code") != 400:
        return None
    if "can't parse entities" in description:
        return replace(form, html=False)
    if any(fault in description for fault in PICTURE_FAULTS):
        return replace(form, picture=False)
    return None


def _request(message: Message, form: _Form) -> tuple[str, dict[str, Any]]:
    body: dict[str, Any] = {"chat_id": form.chat_id, "disable_notification": message.priority == "low"}
    if form.html:
        body["parse_mode"] = "HTML"
    if form.picture and message.image_url and _units(message) <= CAPTION_UNITS:
        return "sendPhoto", body | {
            "photo": message.image_url,
            "caption": _text(message, form, CAPTION_UNITS),
        }
    return "sendMessage", body | {"text": _text(message, form, TEXT_UNITS)}


def _text(message: Message, form: _Form, limit: int) -> str:
    """Return title, text and link within `limit` units; cut before it is escaped, so no entity is torn."""
    quote = (lambda text: escape(text, quote=False)) if form.html else str
    room = limit - utf16_units(message.title) - utf16_units(message.link or "") - 4
    title = f"<b>{quote(message.title)}</b>" if form.html else message.title
    parts = (title, quote(cut_utf16(message.text, room)), quote(message.link or ""))
    return "\n\n".join(part for part in parts if part)


def _units(message: Message) -> int:
    return utf16_units(message.title) + utf16_units(message.text) + utf16_units(message.link or "") + 4


def _said(answer: http.Answer) -> dict[str, Any]:
    """Return Telegram's answer, or nothing where something else answered in its place."""
    try:
        said = json.loads(answer.text)
    except ValueError:
        return {}
    return said if isinstance(said, dict) and "ok" in said else {}


def _parameters(said: dict[str, Any]) -> dict[str, Any]:
    found = said.get("parameters")
    return found if isinstance(found, dict) else {}


def _outcome(answer: http.Answer, said: dict[str, Any]) -> Outcome:
    if not said:
        return _not_telegram(answer)
    if said["ok"] is True:
        return Outcome(OutcomeKind.OK, "ok", answer.status)
    text = str(said.get("description", answer.text))
    code = said.get("error_code", answer.status)
    if code == 429:
        wait_s = _parameters(said).get("retry_after", http.retry_after_s(answer))
        wait_s = float(wait_s) if isinstance(wait_s, int | float) else None
        return Outcome(OutcomeKind.RATE_LIMITED, text, 429, retry_after_s=wait_s)
    return Outcome(_fault(code, text.lower()), text, answer.status)


def _fault(code: object, description: str) -> OutcomeKind:
    if code in {401, 403, 404} or any(fault in description for fault in CHANNEL_FAULTS):
        return OutcomeKind.PERMANENT_CHANNEL
    return OutcomeKind.PERMANENT_MESSAGE if code in {400, 413} else OutcomeKind.TRANSIENT


def _not_telegram(answer: http.Answer) -> Outcome:
    """Judge a proxy's page, or an answer that was torn off."""
    by_status = http.outcome_by_status(answer)
    if by_status.kind is not OutcomeKind.OK:
        return by_status
    text = f"HTTP {answer.status}, but not an answer of Telegram's: {answer.text}"
    return Outcome(OutcomeKind.UNCERTAIN, text, answer.status)


CHANNEL = TelegramChannel
