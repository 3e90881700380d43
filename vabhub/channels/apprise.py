"""Any Apprise URL, judged by what the service answered and not by what Apprise says (https://appriseit.com).

Apprise is imported by a worker's first message only: it costs 80 MB. Its requests go over our own client,
which bounds them, follows no redirect and calls no refused address.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, ClassVar

from vabhub.channels import answers, http, requests_bridge
from vabhub.channels.base import ChannelSettings, Message, Outcome, OutcomeKind, Words, setting
from vabhub.channels.parts import Part, PartedChannel
from vabhub.channels.text import Measure, characters

TYPES = {"info": "info", "success": "success", "warning": "warning", "error": "failure"}
REFUSED_MESSAGE = frozenset({400, 413, 415, 422})
# Their HTTP 200 may carry a refusal that Apprise takes for a success (measured): where the code stands, and
# which one is a yes.
CODES: Mapping[str, tuple[str, int]] = {
    "wecombot": ("errcode", 0),
    "dingtalk": ("errcode", 0),
    "feishu": ("code", 0),
    "lark": ("code", 0),
    "pushdeer": ("code", 0),
    "schan": ("code", 0),
}
# These answer PushMe's own word.
WORDS: Mapping[str, str] = {"pushme": "success"}


class AppriseSettings(ChannelSettings):
    """One URL; it holds the keys, so all of it is secret."""

    url: str = setting(
        Words("Apprise URL", "Apprise 地址"),
        hint=Words(
            "For example matrix://user:password@host/#room; see appriseit.com for the 170 services",
            "例如 matrix://user:password@host/#room；支持的服务见 appriseit.com",
        ),
        secret=True,
        pattern=r"^[A-Za-z][A-Za-z0-9+.-]*://\S+$",
        max_length=4096,
    )


class AppriseChannel(PartedChannel):
    """`size` is what the service behind the URL takes; Apprise's own waiting and splitting are off."""

    kind: ClassVar[str] = "apprise"
    label: ClassVar[Words] = Words("Apprise", "Apprise")
    about: ClassVar[Words] = Words(
        "Any of the 170 services that Apprise knows, by their Apprise URL.",
        "通过 Apprise 地址使用其支持的 170 多种服务。",
    )
    worker_only: ClassVar[bool] = True
    size: ClassVar[int] = 32_768
    title_size: ClassVar[int | None] = 250
    measure: ClassVar[Measure] = characters
    speaks_markdown: ClassVar[bool] = True
    Settings: ClassVar[type[ChannelSettings]] = AppriseSettings

    def __init__(self, settings: AppriseSettings) -> None:
        self.settings = settings
        self.service: Any = None

    def send(self, message: Message) -> Outcome:
        """Delivered is a request that the service took; without one, what Apprise says is all there is."""
        try:
            self.service = _service(self.settings.url)
        except ValueError as error:
            return Outcome(OutcomeKind.PERMANENT_CHANNEL, str(error))
        self.size = max(int(self.service.body_maxlen), 1)  # type: ignore[misc]
        self.title_size = int(self.service.title_maxlen) or None  # type: ignore[misc]
        return super().send(message)

    def send_part(self, part: Part) -> Outcome:
        """Let Apprise write the request, and judge the answers that it got."""
        with requests_bridge.recording() as exchanges:
            said_yes = bool(
                self.service.notify(
                    title=part.title if self.title_size else "",
                    body=part.below_title() if self.title_size else part.body(),
                    notify_type=TYPES.get(part.message.type, "info"),
                    body_format="markdown" if part.markup else "text",
                )
            )
        return judged(self.settings.url.partition(":")[0].lower(), exchanges, said_yes=said_yes)


def judged(schema: str, exchanges: list[http.Answer | Outcome], *, said_yes: bool) -> Outcome:
    """Return what became of a message from the answers to its requests, in order."""
    if not exchanges:
        if said_yes:
            return Outcome(OutcomeKind.OK, "taken, says Apprise")
        return Outcome(OutcomeKind.TRANSIENT, "Apprise could not send it and made no HTTP request")
    last = exchanges[-1]
    if isinstance(last, Outcome):
        return last
    outcome = _by_status(last)
    if outcome.kind is not OutcomeKind.OK:
        # A yes although the last answer was a no: what mattered had gone before it (a sign-out that failed).
        gone = said_yes and any(_is_yes(schema, one) for one in exchanges)
        return Outcome(OutcomeKind.OK, "taken, says Apprise", last.status) if gone else outcome
    refusal = _refusal(schema, last)
    if refusal is None:
        return outcome if said_yes else _unreadable(last)
    return refusal


def _is_yes(schema: str, exchange: http.Answer | Outcome) -> bool:
    return (
        not isinstance(exchange, Outcome)
        and _by_status(exchange).kind is OutcomeKind.OK
        and _refusal(schema, exchange) is None
    )


def _by_status(answer: http.Answer) -> Outcome:
    if answer.status in {401, 403, 410}:
        return Outcome(OutcomeKind.PERMANENT_CHANNEL, answer.text, answer.status)
    if answer.status in REFUSED_MESSAGE:
        too_long = answer.status == 413
        return Outcome(OutcomeKind.PERMANENT_MESSAGE, answer.text, answer.status, too_long=too_long)
    return answers.by_status_alone(answer)


def _refusal(schema: str, answer: http.Answer) -> Outcome | None:
    """Return the refusal in the body of an HTTP 2xx, None where there is none to be seen."""
    if schema in WORDS:
        return None if answer.text.strip() == WORDS[schema] else _transient(answer)
    said = answers.json_object(answer)
    if schema in CODES:
        name, yes = CODES[schema]
        if name not in said and not (schema in {"feishu", "lark"} and said.get("StatusCode") == 0):
            return answers.not_the_providers(answer)
        return None if said.get(name, yes) == yes else _transient(answer)
    says_no = said.get("ok") is False or said.get("success") is False or said.get("errcode", 0) != 0
    return _transient(answer) if says_no else None


def _transient(answer: http.Answer) -> Outcome:
    return Outcome(OutcomeKind.TRANSIENT, answer.text, answer.status)


def _unreadable(answer: http.Answer) -> Outcome:
    """Judge a 2xx that Apprise takes for a failure: a refusal that it has read, or a torn body."""
    kind = OutcomeKind.TRANSIENT if answer.complete and answers.json_object(answer) else OutcomeKind.UNCERTAIN
    return Outcome(kind, f"HTTP {answer.status}, a failure says Apprise: {answer.text}", answer.status)


@lru_cache(maxsize=1)
def _apprise() -> Any:
    import apprise

    # Its DEBUG lines hold whole URLs, keys included.
    logging.getLogger("apprise").setLevel(logging.CRITICAL)
    requests_bridge.install()
    return apprise


def _service(url: str) -> Any:
    """Return a service of Apprise's for one message; raises ValueError for a URL that it does not know."""
    apprise = _apprise()
    asset = apprise.AppriseAsset(async_mode=False, storage_mode=apprise.PersistentStoreMode.MEMORY)
    service = apprise.Apprise.instantiate(url, asset=asset, suppress_exceptions=True)
    if service is None:
        raise ValueError("Apprise does not know this URL, or something is missing in it")
    # The rate and the retries are ours, and so is the splitting.
    service.request_rate_per_sec = 0
    return service


CHANNEL = AppriseChannel
