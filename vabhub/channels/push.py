"""Web Push to the browsers that asked for it (RFC 8030, 8291, 8292), signed with this installation's key."""

from __future__ import annotations

import hashlib
import json
import time
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar
from urllib.parse import urlsplit

from vabhub import clock
from vabhub.channels import answers, http, subscriptions
from vabhub.channels.base import ChannelSettings, Message, Outcome, OutcomeKind, Words, setting
from vabhub.channels.subscriptions import Subscription
from vabhub.channels.text import cut_utf8, utf8_bytes
from vabhub.errors import SettingsError, Unavailable
from vabhub.log import get_logger

log = get_logger(__name__)

# An offline browser gets it when it comes back within this time; by default it never would.
TTL_S = 28_800
CLAIM_S = 12 * 3600
# Push services take 4096 bytes, some less.
PAYLOAD_BYTES, SMALL_PAYLOAD_BYTES = 3000, 1200
BEGIN_WITHIN_S = 12.0
URGENCIES = {"urgent": "high", "high": "high", "normal": "normal", "low": "low"}
LATER = frozenset({OutcomeKind.TRANSIENT, OutcomeKind.RATE_LIMITED, OutcomeKind.UNCERTAIN})


class PushSettings(ChannelSettings):
    """A push service writes to `contact` when something is wrong with what it is sent."""

    contact: str = setting(
        Words("Contact", "联系方式"),
        "mailto:vabhub@example.com",
        hint=Words(
            "mailto: or https: address that push services are told; Apple's wants a real one",
            "告知推送服务的 mailto: 或 https: 地址；苹果要求填写真实地址",
        ),
        pattern=r"^(mailto:[^\s@]+@[^\s@]+|https://\S+)$",
        max_length=255,
    )


class PushChannel:
    """One push a browser; a browser that is gone is forgotten, and a retry reaches only those left out."""

    kind: ClassVar[str] = "push"
    label: ClassVar[Words] = Words("Browser push", "浏览器推送")
    about: ClassVar[Words] = Words(
        "To the browsers in which you switched it on (the bell), even while VabHub is not open. Needs HTTPS.",
        "推送到您在铃铛面板中开启通知的浏览器，即使没有打开 VabHub。需要 HTTPS。",
    )
    to_inbox: ClassVar[bool] = False
    Settings: ClassVar[type[ChannelSettings]] = PushSettings

    def __init__(self, settings: PushSettings) -> None:
        self.settings = settings

    def send(self, message: Message) -> Outcome:
        """Delivered when the push service of every browser that still exists has it, and there is one."""
        before: set[int] = set(message.progress.get("browsers", []))
        try:
            left = [one for one in subscriptions.every() if one.id not in before]
            vapid = _vapid()
        except Unavailable as error:
            return Outcome(OutcomeKind.TRANSIENT, error.message)
        except SettingsError as error:
            return Outcome(OutcomeKind.PERMANENT_CHANNEL, error.message)
        return self._to_all(left, message, vapid, _Round(before))

    def _to_all(self, left: list[Subscription], message: Message, vapid: Any, round_: _Round) -> Outcome:
        begun = time.monotonic()
        for subscription in left:
            if time.monotonic() - begun > BEGIN_WITHIN_S:
                round_.is_over = False
                break
            round_.judge(subscription, self._push(subscription, message, vapid))
        try:
            subscriptions.note(sent=round_.sent, gone=round_.gone)
        except Unavailable as error:
            # It went all the same; who is gone is found out again the next time.
            log.warning("push.not_noted", reason=error.message)
        return round_.outcome()

    def _push(self, to: Subscription, message: Message, vapid: Any) -> Outcome:
        headers = self._headers(to, message, vapid)
        outcome = _post(to, headers, payload(message, PAYLOAD_BYTES))
        return _post(to, headers, payload(message, SMALL_PAYLOAD_BYTES)) if outcome.too_long else outcome

    def _headers(self, to: Subscription, message: Message, vapid: Any) -> dict[str, str]:
        parts = urlsplit(to.endpoint)
        # Fresh for each: signing writes into it.
        claims = {
            "aud": f"{parts.scheme}://{parts.netloc}",
            "sub": self.settings.contact,
            "exp": int(clock.utcnow().timestamp()) + CLAIM_S,
        }
        return {
            "content-encoding": "aes128gcm",
            "content-type": "application/octet-stream",
            "ttl": str(TTL_S),
            "urgency": URGENCIES.get(message.priority, "normal"),
            # A retry takes the place of what still waits for the browser.
            "topic": urlsafe_b64encode(hashlib.sha256(message.id.encode()).digest())[:32].decode(),
            "authorization": vapid.sign(claims)["Authorization"],
        }


@dataclass(slots=True)
class _Round:
    """What became of one attempt's pushes."""

    before: set[int]
    sent: list[int] = field(default_factory=list)
    gone: list[int] = field(default_factory=list)
    later: list[Outcome] = field(default_factory=list)
    refused: list[Outcome] = field(default_factory=list)
    is_over: bool = True

    def judge(self, to: Subscription, outcome: Outcome) -> None:
        if outcome.kind is OutcomeKind.OK:
            self.sent.append(to.id)
        elif outcome.provider_status in {404, 410}:
            self.gone.append(to.id)
        else:
            (self.later if outcome.kind in LATER else self.refused).append(outcome)

    def outcome(self) -> Outcome:
        reached = sorted(self.before | set(self.sent))
        progress: dict[str, Any] | None = {"browsers": reached} if reached else None
        if self.later:
            worst = max(
                self.later, key=lambda one: (one.kind is OutcomeKind.UNCERTAIN, one.retry_after_s or 0)
            )
            return replace(worst, progress=progress)
        if not self.is_over:
            return Outcome(OutcomeKind.PARTLY, f"{len(reached)} browsers", progress=progress, retry_after_s=0)
        if reached:
            refused = "".join(f"; {one.text}" for one in self.refused)
            return Outcome(OutcomeKind.OK, f"{len(reached)} browser(s){refused}", 201, progress=progress)
        if self.refused:
            return self.refused[0]
        return Outcome(OutcomeKind.PERMANENT_MESSAGE, "no browser is subscribed", 410 if self.gone else None)


def _vapid() -> Any:
    from py_vapid import Vapid02

    return Vapid02(subscriptions.private_key())


def _post(to: Subscription, headers: dict[str, str], plain: bytes) -> Outcome:
    answer = http.request("POST", to.endpoint, headers=headers, content=_encrypted(to, plain))
    outcome = answer if isinstance(answer, Outcome) else _judged(answer)
    # Neither is a setting, so nobody else knows that they are secrets.
    text = outcome.text.replace(to.endpoint, "***").replace(urlsplit(to.endpoint).path, "/***")
    return replace(outcome, text=text.replace(headers["authorization"], "***"))


def payload(message: Message, size_bytes: int) -> bytes:
    """Return what the browser's service worker gets, as JSON in at most `size_bytes`."""
    shown = {
        "id": message.id,
        "title": message.title,
        "body": "",
        "type": message.type,
        "url": message.link if message.link and len(message.link) < 1000 else "/",
    }
    room = size_bytes - utf8_bytes(_json(shown))
    text = cut_utf8(message.text, max(room, 0))
    while utf8_bytes(_json(shown | {"body": text})) > size_bytes and text:
        text = cut_utf8(text, utf8_bytes(text) * 3 // 4)  # what JSON has to escape takes more room
    return _json(shown | {"body": text}).encode()


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _encrypted(to: Subscription, plain: bytes) -> bytes:
    import http_ece
    from cryptography.hazmat.primitives.asymmetric import ec

    made: bytes = http_ece.encrypt(
        plain,
        private_key=ec.generate_private_key(ec.SECP256R1()),
        dh=to.public_key,
        auth_secret=to.auth,
        version="aes128gcm",
    )
    return made


def _judged(answer: http.Answer) -> Outcome:
    status = answer.status
    if status in {401, 403}:
        text = f"the push service refuses this installation's key: {answer.text}"
        return Outcome(OutcomeKind.PERMANENT_CHANNEL, text, status)
    if status in {400, 404, 410, 413}:
        return Outcome(OutcomeKind.PERMANENT_MESSAGE, answer.text, status, too_long=status == 413)
    return answers.by_status_alone(answer)


CHANNEL = PushChannel
