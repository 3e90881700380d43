"""Mail over SMTP: one message to all recipients, each refusal judged by itself."""

from __future__ import annotations

import smtplib
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, EmailStr

from vabhub.channels import guard, mail
from vabhub.channels.base import ChannelSettings, Message, Outcome, OutcomeKind, Words, setting

TOTAL_S = 20.0
STEP_S = 10.0
PORTS = {"none": 25, "starttls": 587, "tls": 465}
TOO_BIG = 552


def _addresses(value: Any) -> Any:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


class EmailSettings(ChannelSettings):
    """`smtp_port` follows from `smtp_tls`; `smtp_verify` false accepts a home-made certificate."""

    smtp_host: str = setting(Words("SMTP server", "SMTP 服务器"), min_length=1, max_length=253)
    smtp_port: int | None = setting(
        Words("Port", "端口"),
        None,
        hint=Words(
            "Empty: 587 for STARTTLS, 465 for TLS, 25 for none", "留空：STARTTLS 587，TLS 465，无加密 25"
        ),
        ge=1,
        le=65535,
    )
    smtp_user: str | None = setting(Words("User", "用户名"), None, max_length=255)
    smtp_password: str | None = setting(
        Words("Password", "密码"),
        None,
        hint=Words("Many providers want an app password", "许多邮箱需要使用授权码"),
        secret=True,
        max_length=1024,
    )
    smtp_tls: Literal["none", "starttls", "tls"] = setting(Words("Encryption", "加密方式"), "starttls")
    smtp_verify: bool = setting(
        Words("Check the certificate", "校验证书"),
        True,
        hint=Words("Off for a home-made certificate", "使用自签名证书时关闭"),
    )
    from_email: EmailStr = setting(Words("From", "发件人"))
    to_email: Annotated[list[EmailStr], BeforeValidator(_addresses)] = setting(
        Words("To", "收件人"),
        hint=Words("One address or several, with commas", "一个或多个地址，以逗号分隔"),
        min_length=1,
        max_length=50,
    )


class EmailChannel:
    """`Message-ID` and `Date` stay the same on a retry, so that a mailbox can drop a repeat."""

    kind: ClassVar[str] = "email"
    label: ClassVar[Words] = Words("E-mail", "电子邮件")
    about: ClassVar[Words] = Words("Mail over any SMTP server.", "通过任意 SMTP 服务器发送邮件。")
    to_inbox: ClassVar[bool] = False
    Settings: ClassVar[type[ChannelSettings]] = EmailSettings

    def __init__(self, settings: EmailSettings) -> None:
        self.settings = settings

    def send(self, message: Message) -> Outcome:
        """Delivered when the server took the mail for every recipient that it did not refuse for good."""
        talk = _Talk(done=list(message.progress.get("accepted", [])))
        try:
            with self._connected() as client:
                self._sign_in(client)
                return self._hand_over(client, message, talk)
        except smtplib.SMTPResponseException as error:
            if isinstance(error.smtp_error, str):  # smtplib's own word for an answer that it cannot read
                return _broken(error, talk)
            return _refused(error.smtp_code, error.smtp_error, talk)
        except (smtplib.SMTPNotSupportedError, guard.Refused) as error:
            return Outcome(OutcomeKind.PERMANENT_CHANNEL, str(error))
        except (smtplib.SMTPException, OSError) as error:
            return _broken(error, talk)

    @contextmanager
    def _connected(self) -> Iterator[smtplib.SMTP]:
        client = self._client()
        # A server may answer a byte at a time, each within the time-out: cut the line at the total.
        watch = threading.Timer(TOTAL_S, _cut_line, [client])
        watch.daemon = True
        watch.start()
        try:
            self._connect(client)
            yield client
        except smtplib.SMTPNotSupportedError:
            # Said also when an answer was torn off. A line that is dead says so here instead.
            client.noop()
            raise
        finally:
            watch.cancel()
            _leave(client)

    def _client(self) -> smtplib.SMTP:
        if self.settings.smtp_tls == "tls":
            return _GuardedTls(timeout=STEP_S, context=self._tls())
        return _Guarded(timeout=STEP_S)

    def _connect(self, client: smtplib.SMTP) -> None:
        chosen = self.settings
        code, said = client.connect(chosen.smtp_host, chosen.smtp_port or PORTS[chosen.smtp_tls])
        if code != 220:
            raise smtplib.SMTPConnectError(code, said)
        if chosen.smtp_tls == "starttls":
            client.starttls(context=self._tls())

    def _tls(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        if not self.settings.smtp_verify:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return context

    def _sign_in(self, client: smtplib.SMTP) -> None:
        client.ehlo_or_helo_if_needed()
        if self.settings.smtp_user:
            client.login(self.settings.smtp_user, self.settings.smtp_password or "")

    def _hand_over(self, client: smtplib.SMTP, message: Message, talk: _Talk) -> Outcome:
        code, said = client.mail(self.settings.from_email, self._options(client))
        if code != 250:
            return _refused(code, said, talk)
        for address in self.settings.to_email:
            if address not in talk.done:
                talk.judge(address, *client.rcpt(address))
        if not talk.accepted:
            return talk.outcome()
        code, said = self._offer(client, message, talk, html=True)
        if code != 250:
            return _refused(code, said, talk)
        talk.done += talk.accepted
        return talk.outcome()

    def _offer(self, client: smtplib.SMTP, message: Message, talk: _Talk, *, html: bool) -> tuple[int, bytes]:
        """Hand the text over; one that is too big goes once more without its HTML."""
        chosen = self.settings
        talk.leaving = True
        code, said = client.data(mail.written(chosen.from_email, chosen.to_email, message, html=html))
        if code < 400 and code != 250:
            raise smtplib.SMTPServerDisconnected(f"no answer that makes sense: {code} {_words(said)}")
        talk.leaving = False
        if code != TOO_BIG or not html:
            return code, said
        code, said = client.mail(chosen.from_email, self._options(client))
        for address in talk.accepted if code == 250 else ():
            code, said = client.rcpt(address)
        return self._offer(client, message, talk, html=False) if code in {250, 251} else (code, said)

    def _options(self, client: smtplib.SMTP) -> list[str]:
        ascii_only = all(address.isascii() for address in (self.settings.from_email, *self.settings.to_email))
        return ["SMTPUTF8"] if not ascii_only and client.has_extn("smtputf8") else []


class _Guarded(smtplib.SMTP):
    """Connects to no refused address."""

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        self._host = host  # whose name its certificate must have
        return guard.connect(host, port, timeout)


class _GuardedTls(smtplib.SMTP_SSL):
    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        line = guard.connect(host, port, timeout)
        return self.context.wrap_socket(line, server_hostname=host)


@dataclass(slots=True)
class _Talk:
    """What the server has said so far; `leaving` while the text is with it and it has not answered."""

    done: list[str] = field(default_factory=list)
    accepted: list[str] = field(default_factory=list)
    later: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    leaving: bool = False

    def judge(self, address: str, code: int, said: bytes) -> None:
        if code in {250, 251}:
            self.accepted.append(address)
        elif code in {421, 530}:  # said of the connection, not of this recipient
            raise smtplib.SMTPResponseException(code, said)
        else:
            (self.later if code < 500 else self.refused)[address] = f"{code} {_words(said)}"

    def outcome(self) -> Outcome:
        text = "; ".join(f"{address}: {why}" for address, why in (self.later | self.refused).items())
        progress: Mapping[str, Any] | None = {"accepted": self.done} if self.done else None
        if self.later:
            return Outcome(OutcomeKind.TRANSIENT, text, progress=progress)
        if self.done:
            return Outcome(OutcomeKind.OK, text or "accepted for every recipient", 250, progress=progress)
        return Outcome(OutcomeKind.PERMANENT_MESSAGE, f"every recipient was refused: {text}", 550)


def _refused(code: int, said: bytes | str, talk: _Talk) -> Outcome:
    text = f"{code} {_words(said)}"
    if code in {530, 534, 535, 538}:
        return Outcome(OutcomeKind.PERMANENT_CHANNEL, text, code)
    if code >= 500:
        # Before the text was offered it is the sender or the sign-in that was refused.
        kind = OutcomeKind.PERMANENT_MESSAGE if talk.accepted else OutcomeKind.PERMANENT_CHANNEL
        return Outcome(kind, text, code)
    return Outcome(OutcomeKind.TRANSIENT, text, code if code > 0 else None)


def _broken(error: Exception, talk: _Talk) -> Outcome:
    kind = OutcomeKind.UNCERTAIN if talk.leaving else OutcomeKind.TRANSIENT
    what = "sent, but no answer" if talk.leaving else "no connection"
    return Outcome(kind, f"{what}: {type(error).__name__}: {error}")


def _words(said: bytes | str) -> str:
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)


def _cut_line(client: smtplib.SMTP) -> None:
    line = client.sock
    if line is not None:
        try:
            line.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # it was closed in the meantime


def _leave(client: smtplib.SMTP) -> None:
    """Say goodbye if the server listens; the mail is handed over, so a failure here means nothing."""
    try:
        client.quit()
    except (smtplib.SMTPException, OSError):
        client.close()


CHANNEL = EmailChannel
