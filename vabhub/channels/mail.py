"""Writes one mail: the text, and beside it the same as HTML."""

from __future__ import annotations

from collections.abc import Sequence
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from html import escape

from vabhub.channels.base import Message

TYPE_IN_SUBJECT = {"warning": "⚠ ", "error": "✖ "}
COLOURS = {"success": "#1f7a45", "warning": "#8a6100", "error": "#b02a2a", "info": "#2a5db0"}


def written(sender: str, recipients: Sequence[str], message: Message, *, html: bool) -> bytes:
    """Return the mail; its id and date are the same on every attempt of a delivery."""
    mail = EmailMessage(policy=SMTP_POLICY)
    mail["From"] = sender
    mail["To"] = ", ".join(recipients)
    mail["Subject"] = TYPE_IN_SUBJECT.get(message.type, "") + message.title
    mail["Date"] = message.created_at
    mail["Message-ID"] = f"<{message.id}@{sender.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    if message.priority in {"urgent", "high"}:
        mail["X-Priority"] = "1"
    parts = (message.text, message.link, message.image_url)
    mail.set_content("\n\n".join(part for part in parts if part))
    if html:
        mail.add_alternative(_html(message), subtype="html")
    return mail.as_bytes()


def _html(message: Message) -> str:
    """Return the text as HTML. It stands on its own: nothing but the picture is fetched when it is read."""
    colour = COLOURS.get(message.type, COLOURS["info"])
    pieces = [
        f'<h2 style="margin:0 0 12px;font-size:18px;color:{colour}">{escape(message.title)}</h2>',
        f'<div style="white-space:pre-wrap">{escape(message.text)}</div>',
    ]
    if message.image_url:
        pieces.append(
            f'<p><img src="{escape(message.image_url)}" alt="" style="max-width:100%;border-radius:6px"></p>'
        )
    if message.link:
        pieces.append(f'<p><a href="{escape(message.link)}">{escape(message.link)}</a></p>')
    body = "\n".join(pieces)
    style = "font-family:system-ui,sans-serif;font-size:15px;line-height:1.5;max-width:640px"
    return f'<!doctype html>\n<html><body dir="auto" style="{style}">\n{body}\n</body></html>\n'
