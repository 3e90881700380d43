"""Puts mail into the situations of the suite: an SMTP server that answers by a script."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Mapping
from contextlib import ExitStack

import pytest

from tests.contracts.channels.cases import message
from tests.contracts.channels.harness import serving, unanswering, untrusted
from tests.support.ports import free_port
from vabhub.channels import email
from vabhub.channels.base import Outcome
from vabhub.channels.base import OutcomeKind as Kind
from vabhub.channels.registry import make

# What SMTP has no word for: the time to wait in a body.
NOT_FOR_MAIL = {"429, wait in body"}
EXPECTED_OF_MAIL: Mapping[str, Kind] = {
    "429, wait in header": Kind.TRANSIENT,  # there is no time in it
    "blocked recipient": Kind.PERMANENT_MESSAGE,
    "200 with an error": Kind.PERMANENT_MESSAGE,
    "redirect": Kind.PERMANENT_MESSAGE,
    "oversized answer": Kind.UNCERTAIN,
    "a byte at a time": Kind.TRANSIENT,
}
REPLIES = {
    "EHLO": b"250-there\r\n250 AUTH PLAIN",
    "AUTH": b"235 welcome",
    "MAIL": b"250 ok",
    "RCPT": b"250 ok",
    "DATA": b"354 go on",
    ".": b"250 taken",
    "QUIT": b"221 bye",
}
# What differs by case; an empty reply cuts the line, None never answers.
SCRIPTS: Mapping[str, Mapping[str, bytes | None]] = {
    "success": {},
    "429, wait in header": {"RCPT": b"450 4.7.1 too many, try later"},
    "server error": {".": b"451 4.3.0 out of order"},
    "time-out after it left": {".": None},
    "cut before the answer": {".": b""},
    "bad credentials": {"AUTH": b"535 5.7.8 wrong"},
    "blocked recipient": {"RCPT": b"550 5.7.1 blocked"},
    "200 with an error": {".": b"554 5.7.1 looks like spam"},
    "torn body": {".": b"25"},
    "redirect": {"RCPT": b"551 5.1.6 try <ada@elsewhere.example>"},
    "oversized answer": {".": b"250 " + b"x" * 200_000},
}


class SmtpHarness:
    """Sends one mail in a situation."""

    def __init__(self, tls: ssl.SSLContext, patch: pytest.MonkeyPatch) -> None:
        self.tls, self.patch = tls, patch

    def run(self, case: str) -> Outcome:
        """Return how it ended."""
        with ExitStack() as stack:
            if case in SCRIPTS:
                if case.startswith("time-out"):
                    self.patch.setattr(email, "STEP_S", 0.3)
                return _send(stack.enter_context(serving(_talk(SCRIPTS[case]))))
            if case == "no such name":
                return _send(25, smtp_host="nowhere.invalid")
            return self._elsewhere(case, stack)

    def _elsewhere(self, case: str, stack: ExitStack) -> Outcome:
        if case == "time-out before it left":
            self.patch.setattr(email, "STEP_S", 0.3)
            return _send(int(stack.enter_context(unanswering()).rpartition(":")[2]))
        if case == "TLS not trusted":
            url = stack.enter_context(untrusted(self.tls))
            return _send(int(url.rpartition(":")[2]), smtp_tls="tls")
        if case == "a byte at a time":
            self.patch.setattr(email, "TOTAL_S", 0.8)
            return _send(stack.enter_context(serving(_drip)))
        return _send(free_port())


def _send(port: int, **changes: object) -> Outcome:
    given = {
        "smtp_host": "127.0.0.1",
        "smtp_port": port,
        "smtp_tls": "none",
        "smtp_user": "me",
        "smtp_password": "secret",
        "from_email": "vabhub@example.org",
        "to_email": ["ada@example.com"],
    }
    return make("email", given | changes).send(message())


def _talk(script: Mapping[str, bytes | None]) -> Callable[[socket.socket], None]:
    replies: dict[str, bytes | None] = {**REPLIES, **script}

    def talk(line: socket.socket) -> None:
        line.settimeout(10)
        with line, line.makefile("rb") as told:
            line.sendall(b"220 here\r\n")
            in_text = False
            for raw in told:
                if in_text and raw != b".\r\n":
                    continue
                verb = "." if in_text else raw[:4].strip().decode().upper()
                in_text = verb == "DATA"
                reply = replies.get(verb, b"250 ok")
                if reply is None:
                    told.read()  # until the client has had enough
                    return
                line.sendall(reply + (b"\r\n" if len(reply) > 2 else b""))
                if len(reply) <= 2:
                    return

    def talk_until_cut(line: socket.socket) -> None:
        try:
            talk(line)
        except OSError:
            return  # the client hung up

    return talk_until_cut


def _drip(line: socket.socket) -> None:
    with line:
        line.settimeout(0.05)
        line.sendall(b"220 here\r\n")
        for _ in range(400):
            try:
                line.send(b"2")
                if not line.recv(1000):
                    return
            except TimeoutError:
                continue
            except OSError:
                return
