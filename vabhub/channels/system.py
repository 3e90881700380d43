"""The inbox: a notification that is stored has arrived, so there is nothing to send."""

from __future__ import annotations

from typing import ClassVar

from vabhub.channels.base import ChannelSettings, Message, Outcome, OutcomeKind, Words


class InboxSettings(ChannelSettings):
    """The inbox has nothing to set."""


class InboxChannel:
    """Shows the notification on the page; recording the outcome is what puts it there."""

    kind: ClassVar[str] = "system"
    label: ClassVar[Words] = Words("Inbox", "收件箱")
    about: ClassVar[Words] = Words("The bell on the page.", "页面上的铃铛。")
    to_inbox: ClassVar[bool] = True
    Settings: ClassVar[type[ChannelSettings]] = InboxSettings

    def __init__(self, settings: InboxSettings) -> None:
        self.settings = settings

    def send(self, message: Message) -> Outcome:
        """Answer OK."""
        return Outcome(OutcomeKind.OK, "in the inbox")


CHANNEL = InboxChannel
