"""Sends a message of any length: in parts that fit, simpler where refused, from where it had stopped."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from vabhub.channels.base import Message, Outcome, OutcomeKind
from vabhub.channels.text import Measure, characters, cut, split

# No part is begun later than this: the attempt must end within its lease.
BEGIN_WITHIN_S = 12.0
SMALLEST = 200
_NUMBER_ROOM = 12  # of " (999/999)"
_GAP = "\n\n"


@dataclass(frozen=True, slots=True)
class Form:
    """How a message is put this time; a refusal takes one thing away."""

    picture: bool
    markup: bool
    size: int

    def simpler(self, outcome: Outcome) -> Form | None:
        """Return the next simpler form for a message that was refused, None when there is none."""
        if outcome.too_long and self.size // 2 >= SMALLEST:
            return replace(self, size=self.size // 2)
        if outcome.kind is not OutcomeKind.PERMANENT_MESSAGE:
            return None
        if self.picture:
            return replace(self, picture=False)
        return replace(self, markup=False) if self.markup else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part of a message; only the first has the picture, only the last the link."""

    message: Message
    title: str  # with its number when there are several
    text: str
    link: str | None
    image_url: str | None
    markup: bool
    number: int
    count: int

    def body(self) -> str:
        """Return title, text and link as one text."""
        return _GAP.join(piece for piece in (self.title, self.text, self.link) if piece)

    def below_title(self) -> str:
        """Return text and link as one text."""
        return _GAP.join(piece for piece in (self.text, self.link) if piece)


class PartedChannel(ABC):
    """A channel that sends parts; a provider's file says how large they are and how one is sent."""

    kind: ClassVar[str]
    to_inbox: ClassVar[bool] = False
    size: ClassVar[int]  # of one part, all of it
    measure: ClassVar[Measure]
    title_size: ClassVar[int | None] = None  # of the title's own field; None: the title is part of the text
    link_apart: ClassVar[bool] = False  # the link has a field of its own
    speaks_markdown: ClassVar[bool] = False
    # The provider takes a picture only where all of the text fits into so much; None: always.
    picture_size: ClassVar[int | None] = None

    @abstractmethod
    def send_part(self, part: Part) -> Outcome:
        """Try one part once."""

    def send(self, message: Message) -> Outcome:
        """Send what has not gone yet; what is refused is tried again simpler, at once."""
        form, sent = self._resume(message)
        parts, begun = self.parts(message, form), time.monotonic()
        outcome = Outcome(OutcomeKind.OK, "every part has gone")
        while sent < len(parts):
            outcome = self.send_part(parts[sent])
            if outcome.kind is not OutcomeKind.OK:
                simpler = form.simpler(outcome)
                if simpler is None or (sent and simpler.size != form.size):
                    break
                form = simpler
                parts = self.parts(message, form)
                continue
            sent += 1
            if sent < len(parts):
                message.note(_progress(form, sent, len(parts)))
            if sent < len(parts) and (waits := _waits(message, begun)) is not None:
                outcome = Outcome(OutcomeKind.PARTLY, f"{sent} of {len(parts)} parts", retry_after_s=waits)
                break
        return replace(outcome, progress=_progress(form, sent, len(parts))) if sent else outcome

    def parts(self, message: Message, form: Form) -> list[Part]:
        """Return the message as it is sent in that form."""
        return list(_parts(self, message, form))

    def has_markup(self, message: Message) -> bool:
        """Say whether the message is first put with markup."""
        return self.speaks_markdown and message.markdown is not None

    def _resume(self, message: Message) -> tuple[Form, int]:
        whole = Form(message.image_url is not None, self.has_markup(message), self.size)
        before: Mapping[str, Any] = message.progress
        if "sent" not in before:
            return whole, 0
        form = Form(
            bool(before.get("picture")), bool(before.get("markup")), int(before.get("size", self.size))
        )
        # A template that was changed meanwhile makes other parts: then it begins anew.
        same = len(self.parts(message, form)) == before.get("of")
        return (form, int(before["sent"])) if same else (whole, 0)


def _waits(message: Message, begun: float) -> float | None:
    """Return the seconds until the next part may go, None when it may go now."""
    if time.monotonic() - begun > BEGIN_WITHIN_S:
        return 0.0
    return message.turn() or None


def _progress(form: Form, sent: int, of: int) -> dict[str, Any]:
    return {"sent": sent, "of": of, "size": form.size, "markup": form.markup, "picture": form.picture}


def _parts(channel: PartedChannel, message: Message, form: Form) -> Iterator[Part]:
    measure = type(channel).measure
    title, text = _title_and_text(channel, message, form)
    link = message.link
    if link and not channel.link_apart and measure(link) > form.size // 4:
        text, link = f"{text}{_GAP}{link}", None  # it may have to be split, too
    texts = split(text, _room(channel, title, link, form), measure)
    picture = message.image_url if form.picture and _takes_picture(channel, message, len(texts)) else None
    for number, one in enumerate(texts, 1):
        yield Part(
            message=message,
            title=f"{title} ({number}/{len(texts)})" if len(texts) > 1 else title,
            text=one,
            link=link if number == len(texts) else None,
            image_url=picture if number == 1 else None,
            markup=form.markup,
            number=number,
            count=len(texts),
        )


def _title_and_text(channel: PartedChannel, message: Message, form: Form) -> tuple[str, str]:
    """Return the title as it fits, and the text; all of a title that does not fit stands above the text."""
    text = message.markdown if form.markup and channel.speaks_markdown else None
    text = message.text if text is None else text
    measure = characters if channel.title_size else type(channel).measure
    most = channel.title_size or form.size // 2
    if measure(message.title) <= most:
        return message.title, text
    return cut(message.title, most - _NUMBER_ROOM, measure), f"{message.title}{_GAP}{text}"


def _room(channel: PartedChannel, title: str, link: str | None, form: Form) -> int:
    measure = type(channel).measure
    taken = 0 if channel.title_size else measure(title) + _NUMBER_ROOM + len(_GAP)
    if link and not channel.link_apart:
        taken += measure(link) + len(_GAP)
    return form.size - taken


def _takes_picture(channel: PartedChannel, message: Message, count: int) -> bool:
    if channel.picture_size is None:
        return True
    whole = _GAP.join(piece for piece in (message.title, message.text, message.link) if piece)
    return count == 1 and type(channel).measure(whole) <= channel.picture_size
