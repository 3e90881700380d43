"""Puts a channel into each situation of the suite: what its provider, the network and the machine may do."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

import httpx
import pytest

from tests.contracts.channels.cases import message
from tests.contracts.channels.providers import Provider
from tests.support.ports import free_port
from tests.support.sink import Answer, Request, Sink
from vabhub.channels import http, wechat_app
from vabhub.channels.base import Channel, Outcome
from vabhub.channels.base import OutcomeKind as Kind
from vabhub.channels.registry import make

# What a channel must say in each case, unless its provider differs; in the order of the table.
EXPECTED: Mapping[str, Kind] = {
    "success": Kind.OK,
    "429, wait in header": Kind.RATE_LIMITED,
    "429, wait in body": Kind.RATE_LIMITED,
    "server error": Kind.TRANSIENT,
    "time-out before it left": Kind.TRANSIENT,
    "time-out after it left": Kind.UNCERTAIN,
    "cut before the answer": Kind.UNCERTAIN,
    "connection refused": Kind.TRANSIENT,
    "no such name": Kind.TRANSIENT,
    "TLS not trusted": Kind.TRANSIENT,
    "bad credentials": Kind.PERMANENT_CHANNEL,
    "blocked recipient": Kind.PERMANENT_CHANNEL,
    "200 with an error": Kind.TRANSIENT,
    "torn body": Kind.UNCERTAIN,
    "redirect": Kind.PERMANENT_CHANNEL,
    "oversized answer": Kind.TRANSIENT,
    "a byte at a time": Kind.UNCERTAIN,
}


class HttpHarness:
    """A provider on loopback that answers as the real one does."""

    def __init__(self, kind: str, provider: Provider, tls: ssl.SSLContext, patch: pytest.MonkeyPatch) -> None:
        self.kind, self.provider, self.tls, self.patch = kind, provider, tls, patch
        self.answers = {
            "success": provider.yes,
            "429, wait in header": Answer(429, "slow", {"Retry-After": "7"}),
            "429, wait in body": provider.limited,
            "server error": Answer(502, "<html>bad gateway"),
            "time-out after it left": Answer(hang=True),
            "cut before the answer": Answer(reset=True),
            "bad credentials": provider.bad_credentials,
            "blocked recipient": provider.blocked,
            "200 with an error": provider.error_in_200,
            "torn body": Answer(200, provider.yes.payload()[:-1], torn=True),
            "redirect": Answer(307, b"", {"Location": "/elsewhere"}),
            "oversized answer": Answer(500, b"x" * 5_000_000),
        }
        self.requests: list[Request] = []
        self.make: Callable[[dict[str, Any]], Channel] = lambda settings: make(kind, settings)

    def run(self, case: str) -> Outcome:
        """Send one message in that situation."""
        wechat_app._tokens.clear()
        with ExitStack() as stack:
            if case in self.answers:
                return self._at_sink(stack, self.answers[case], case)
            return self._send(self._elsewhere(case, stack))

    def _at_sink(self, stack: ExitStack, answer: Answer, case: str) -> Outcome:
        sink = Sink().start()
        stack.callback(sink.stop)
        sink.respond = lambda request: self.provider.before(request) or answer
        if case.startswith("time-out"):
            self.patch.setattr(http.client(), "timeout", httpx.Timeout(5, read=0.2))
        outcome = self._send(sink.url)
        self.requests = [request for request in sink.requests if self.provider.before(request) is None]
        return outcome

    def _elsewhere(self, case: str, stack: ExitStack) -> str:
        if case == "time-out before it left":
            self.patch.setattr(http.client(), "timeout", httpx.Timeout(5, connect=0.2))
            return stack.enter_context(unanswering())
        if case == "TLS not trusted":
            return stack.enter_context(untrusted(self.tls))
        if case == "a byte at a time":
            self.patch.setattr(http, "TOTAL_S", 0.8)
            return stack.enter_context(dripping())
        return {
            "connection refused": f"http://127.0.0.1:{free_port()}",
            "no such name": "http://nowhere.invalid",
        }[case]

    def _send(self, url: str) -> Outcome:
        return self.make(self.provider.settings(url)).send(message())


@contextmanager
def unanswering(host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
    """An address that takes no further connection and refuses none: its queue is full."""
    with socket.socket() as listener, ExitStack() as stack:
        listener.bind((host, port))
        listener.listen(0)
        for _ in range(4):
            client = stack.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(listener.getsockname())
        yield f"http://{host}:{listener.getsockname()[1]}"


@contextmanager
def untrusted(tls: ssl.SSLContext) -> Iterator[str]:
    """A server whose certificate nobody has signed."""

    def greet(line: socket.socket) -> None:
        try:
            tls.wrap_socket(line, server_side=True).close()
        except OSError:
            line.close()  # the client did not trust it

    with serving(greet) as port:
        yield f"https://127.0.0.1:{port}"


@contextmanager
def dripping() -> Iterator[str]:
    """A server that answers one byte of its headers every 50 ms, for ever."""
    over = threading.Event()

    def drip(line: socket.socket) -> None:
        with line:
            line.recv(65536)
            for byte in b"HTTP/1.1 200 OK\r\n" + b"X-Filler: 1\r\n" * 1000:
                try:
                    line.send(bytes([byte]))
                except OSError:
                    return
                if over.wait(0.05):
                    return

    with serving(drip) as port:
        yield f"http://127.0.0.1:{port}"
        over.set()


@contextmanager
def serving(handle: Callable[[socket.socket], Any]) -> Iterator[int]:
    """A server that handles one connection after another; gives its port."""

    def accept(listener: socket.socket) -> None:
        while True:
            try:
                line, _ = listener.accept()
            except OSError:
                return
            handle(line)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=accept, args=[listener], daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(timeout=10)
