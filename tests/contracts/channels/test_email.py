"""Mail, against a real SMTP server that refuses as it is told."""

from __future__ import annotations

import asyncio
import email
import email.policy
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.contracts.channels.cases import HARD_TEXTS, message
from tests.contracts.channels.harness import serving
from tests.support.ports import free_port
from vabhub.channels import email as channel_module
from vabhub.channels.base import Outcome, OutcomeKind
from vabhub.channels.registry import make
from vabhub.channels.text import clean

ADA, BEN = "ada@example.com", "ben@example.com"


class Mailbox:
    """What the server took, and what it refuses."""

    def __init__(self) -> None:
        self.mails: list[tuple[list[str], EmailMessage]] = []
        self.refuse: dict[str, str] = {}  # by address
        self.answer_to_text = "250 OK"
        self.too_big_with_html = False
        self.hang_on_text = threading.Event()
        self.hangs = False

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.refuse:
            return self.refuse[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        while self.hangs and not self.hang_on_text.is_set():
            await asyncio.sleep(0.02)
        if self.too_big_with_html and b"text/html" in (envelope.content or b""):
            return "552 too big"
        if self.answer_to_text.startswith("250"):
            assert isinstance(envelope.content, bytes)
            mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
            assert isinstance(mail, EmailMessage)
            self.mails.append((list(envelope.rcpt_tos), mail))
        return self.answer_to_text


def _part(mail: EmailMessage, subtype: str) -> str:
    found = mail.get_body((subtype,))
    assert found is not None
    text: str = found.get_content()
    return text.replace("\r\n", "\n")


@contextmanager
def _serving(box: Mailbox, **options: Any) -> Iterator[int]:
    controller = Controller(box, hostname="127.0.0.1", port=free_port(), **options)
    controller.start()
    try:
        yield controller.port
    finally:
        box.hang_on_text.set()
        controller.stop()


@pytest.fixture
def box() -> Mailbox:
    return Mailbox()


@pytest.fixture
def port(box: Mailbox) -> Iterator[int]:
    with _serving(box) as found:
        yield found


def _send(
    port: int, *, progress: Any = None, changes: dict[str, Any] | None = None, **settings: Any
) -> Outcome:
    given = {
        "smtp_host": "127.0.0.1",
        "smtp_port": port,
        "smtp_tls": "none",
        "from_email": "vabhub@example.org",
        "to_email": [ADA, BEN],
        **settings,
    }
    return make("email", given).send(message(progress=progress or {}, **(changes or {})))


def test_one_mail_reaches_all_recipients_with_a_chinese_subject(box: Mailbox, port: int) -> None:
    assert _send(port).kind is OutcomeKind.OK
    ((recipients, mail),) = box.mails
    assert recipients == [ADA, BEN]
    assert mail["Subject"] == "下载完成 <1>"
    assert _part(mail, "plain").strip() == "Dune & Dune 2 — 4K 🎬"


def test_the_same_stands_beside_it_as_html_with_markup_escaped(box: Mailbox, port: int) -> None:
    picture, link = "https://example.com/p.jpg?a=1&b=2", "https://example.com/<x>"
    _send(port, changes={"text": "a <b> & c\n第二行", "image_url": picture, "link": link})
    ((_, mail),) = box.mails
    html = _part(mail, "html")
    assert "a &lt;b&gt; &amp; c\n第二行" in html
    assert 'src="https://example.com/p.jpg?a=1&amp;b=2"' in html
    assert 'href="https://example.com/&lt;x&gt;"' in html
    assert _part(mail, "plain").split("\n\n")[1:] == [link, f"{picture}\n"]


def test_a_mail_that_is_too_big_goes_once_more_without_html(box: Mailbox, port: int) -> None:
    box.too_big_with_html = True
    assert _send(port).kind is OutcomeKind.OK
    ((recipients, mail),) = box.mails
    assert recipients == [ADA, BEN]
    assert mail.get_content_type() == "text/plain"


@pytest.mark.parametrize("text", HARD_TEXTS, ids=range(len(HARD_TEXTS)))
def test_a_hard_text_arrives_whole(box: Mailbox, port: int, text: str) -> None:
    assert _send(port, changes={"text": text}).kind is OutcomeKind.OK
    ((_, mail),) = box.mails
    assert _part(mail, "plain").rstrip("\n") == clean(text).rstrip("\n")


def test_a_retry_carries_the_same_id_and_date(box: Mailbox, port: int) -> None:
    for _ in range(2):
        _send(port)
    first, second = (mail for _, mail in box.mails)
    assert first["Message-ID"] == second["Message-ID"] == "<msg_0123456789@example.org>"
    assert first["Date"] == second["Date"]
    assert first["Date"].datetime.isoformat() == "2026-11-23T22:12:27+00:00"


def test_one_address_or_a_list_with_commas_will_do(box: Mailbox, port: int) -> None:
    assert _send(port, to_email=f"{ADA}, {BEN}").kind is OutcomeKind.OK
    assert _send(port, to_email=ADA).kind is OutcomeKind.OK
    assert [recipients for recipients, _ in box.mails] == [[ADA, BEN], [ADA]]


def test_a_title_cannot_smuggle_a_header(box: Mailbox, port: int) -> None:
    _send(port, changes={"title": "Hi\r\nBcc: eve@example.com"})
    ((recipients, mail),) = box.mails
    assert recipients == [ADA, BEN]
    assert mail["Bcc"] is None
    assert mail["Subject"] == "Hi Bcc: eve@example.com"


def test_a_recipient_refused_for_good_does_not_stop_the_others(box: Mailbox, port: int) -> None:
    box.refuse = {BEN: "550 no such user"}
    outcome = _send(port)
    assert outcome.kind is OutcomeKind.OK
    assert f"{BEN}: 550 no such user" in outcome.text
    assert box.mails[0][0] == [ADA]


def test_a_recipient_refused_for_now_is_tried_again_alone(box: Mailbox, port: int) -> None:
    box.refuse = {BEN: "450 greylisted"}
    outcome = _send(port)
    assert (outcome.kind, outcome.progress) == (OutcomeKind.TRANSIENT, {"accepted": [ADA]})
    box.refuse = {}
    assert _send(port, progress=outcome.progress).kind is OutcomeKind.OK
    assert [recipients for recipients, _ in box.mails] == [[ADA], [BEN]]


def test_all_recipients_refused_for_good_is_the_end(box: Mailbox, port: int) -> None:
    box.refuse = {ADA: "550 no", BEN: "553 no"}
    outcome = _send(port)
    assert (outcome.kind, box.mails) == (OutcomeKind.PERMANENT_MESSAGE, [])


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ("451 try later", OutcomeKind.TRANSIENT),
        ("452 mailbox full", OutcomeKind.TRANSIENT),
        ("552 too big", OutcomeKind.PERMANENT_MESSAGE),
        ("554 spam", OutcomeKind.PERMANENT_MESSAGE),
    ],
)
def test_the_answer_to_the_text_means(box: Mailbox, port: int, answer: str, kind: OutcomeKind) -> None:
    box.answer_to_text = answer
    outcome = _send(port)
    assert (outcome.kind, outcome.provider_status) == (kind, int(answer[:3]))


def test_a_server_that_wants_a_sign_in_first_is_the_channels_fault(box: Mailbox, port: int) -> None:
    box.refuse = {ADA: "530 authentication required", BEN: "530 authentication required"}
    assert _send(port).kind is OutcomeKind.PERMANENT_CHANNEL


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
def test_signing_in(box: Mailbox) -> None:
    def check(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        return AuthResult(success=data.password == b"right", handled=False)

    with _serving(box, authenticator=check, auth_required=True, auth_require_tls=False) as port:
        assert _send(port, smtp_user="me", smtp_password="right").kind is OutcomeKind.OK
        wrong = _send(port, smtp_user="me", smtp_password="wrong")
        assert (wrong.kind, wrong.provider_status) == (OutcomeKind.PERMANENT_CHANNEL, 535)
        assert _send(port).kind is OutcomeKind.PERMANENT_CHANNEL


def test_starttls_and_tls_with_a_home_made_certificate(box: Mailbox, tls: ssl.SSLContext) -> None:
    with _serving(box, tls_context=tls) as port:
        assert _send(port, smtp_tls="starttls").kind is OutcomeKind.TRANSIENT, "not trusted"
        assert _send(port, smtp_tls="starttls", smtp_verify=False).kind is OutcomeKind.OK
    with _serving(box, ssl_context=tls) as port:
        assert _send(port, smtp_tls="tls").kind is OutcomeKind.TRANSIENT, "not trusted"
        assert _send(port, smtp_tls="tls", smtp_verify=False).kind is OutcomeKind.OK


def test_a_server_without_starttls_is_the_channels_fault(port: int) -> None:
    assert _send(port, smtp_tls="starttls").kind is OutcomeKind.PERMANENT_CHANNEL


def test_a_refused_connection_and_an_unknown_name_never_left() -> None:
    assert _send(free_port()).kind is OutcomeKind.TRANSIENT
    assert _send(25, smtp_host="nowhere.invalid").kind is OutcomeKind.TRANSIENT


def test_no_answer_to_the_text_leaves_it_open(
    box: Mailbox, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channel_module, "STEP_S", 0.5)
    box.hangs = True
    assert _send(port).kind is OutcomeKind.UNCERTAIN


def test_a_byte_at_a_time_is_cut_off_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channel_module, "TOTAL_S", 1.0)
    over = threading.Event()

    def drip(listener: socket.socket) -> None:
        line, _ = listener.accept()
        with line:
            line.sendall(b"220 hello\r\n")
            line.recv(1000)
            try:
                while not over.wait(0.05):
                    line.send(b"2")
            except OSError:
                return

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=drip, args=[listener])
        thread.start()
        started = time.monotonic()
        assert _send(listener.getsockname()[1]).kind is OutcomeKind.TRANSIENT
        assert time.monotonic() - started < 4
        over.set()
        thread.join(timeout=10)


@pytest.mark.parametrize(
    "settings", [{}, {"smtp_user": "me", "smtp_password": "x"}, {"smtp_tls": "starttls"}]
)
def test_a_line_that_dies_while_greeting_is_no_lack_of_the_server(settings: dict[str, Any]) -> None:
    def greet(line: socket.socket) -> None:
        with line:
            line.sendall(b"220 here\r\n")
            line.recv(1000)
            line.sendall(b"250")  # torn: what it can do is not said

    with serving(greet) as port:
        assert _send(port, **settings).kind is OutcomeKind.TRANSIENT


def test_a_greeting_a_byte_at_a_time_is_cut_off_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channel_module, "TOTAL_S", 0.5)
    hung_up = threading.Event()

    def drip(line: socket.socket) -> None:
        with line:
            line.settimeout(0.05)
            for _ in range(400):  # 20 s, if nobody hangs up
                try:
                    line.send(b"2")
                    if not line.recv(1000):
                        break
                except TimeoutError:
                    continue
                except OSError:
                    break
            else:
                return
        hung_up.set()

    with serving(drip) as port:
        assert _send(port).kind is OutcomeKind.TRANSIENT
        assert hung_up.wait(10)
