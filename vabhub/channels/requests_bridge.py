"""Leads what a library sends with `requests` over our own client, and writes down what was answered.

Only while `recording()`: the rest of the process is not touched.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from vabhub.channels import guard, http
from vabhub.channels.base import Outcome, OutcomeKind

if TYPE_CHECKING:
    import requests

Exchanges = list[http.Answer | Outcome]

_exchanges: ContextVar[Exchanges | None] = ContextVar("requests_exchanges", default=None)
# What our client sets itself, or what would let an answer come compressed.
_OURS = frozenset({"content-length", "transfer-encoding", "connection", "accept-encoding", "host"})


@contextmanager
def recording() -> Iterator[Exchanges]:
    """Give the list into which this thread's answers are written, or the outcome where none came."""
    exchanges: Exchanges = []
    token = _exchanges.set(exchanges)
    try:
        yield exchanges
    finally:
        _exchanges.reset(token)


def install() -> None:
    """Take over `requests`' way out, once a process."""
    from requests.adapters import HTTPAdapter

    if getattr(HTTPAdapter.send, "is_bridge", False):
        return
    _guard_names()
    original = HTTPAdapter.send

    def send(self: HTTPAdapter, request: requests.PreparedRequest, *args: Any, **more: Any) -> Any:
        exchanges = _exchanges.get()
        if exchanges is None:
            return original(self, request, *args, **more)
        return _send(request, exchanges, verify=more.get("verify", True) is not False)

    send.is_bridge = True  # type: ignore[attr-defined]
    HTTPAdapter.send = send  # type: ignore[method-assign]


def _guard_names() -> None:
    """Let what does not speak HTTP (mail, MQTT) find no refused address either."""
    original = socket.getaddrinfo

    def getaddrinfo(host: Any, port: Any, *args: Any, **more: Any) -> Any:
        found = original(host, port, *args, **more)
        exchanges = _exchanges.get()
        if exchanges is not None:
            _check(found, exchanges, str(host), port if isinstance(port, int) else None)
        return found

    socket.getaddrinfo = getaddrinfo


def _check(found: Any, exchanges: Exchanges, host: str, port: int | None) -> None:
    try:
        internet = (entry for entry in found if entry[0] in {socket.AF_INET, socket.AF_INET6})
        guard.check_found([str(entry[4][0]) for entry in internet], port, host)
    except guard.Refused as error:
        exchanges.append(Outcome(OutcomeKind.PERMANENT_CHANNEL, str(error)))
        raise OSError(str(error)) from error


def _send(request: requests.PreparedRequest, exchanges: Exchanges, *, verify: bool) -> requests.Response:
    from requests.exceptions import ConnectionError as NoConnection

    headers = {name: _text(value) for name, value in request.headers.items() if name.lower() not in _OURS}
    token = _exchanges.set(None)  # our client looks at addresses itself
    try:
        body = request.body or b""
        answer = http.request(
            str(request.method), str(request.url), headers=headers, content=body, verify=verify
        )
    finally:
        _exchanges.reset(token)
    exchanges.append(answer)
    if isinstance(answer, Outcome):
        raise NoConnection(answer.text, request=request)
    return _response(answer, request)


def _response(answer: http.Answer, request: requests.PreparedRequest) -> requests.Response:
    from requests import Response

    response = Response()
    response.status_code = answer.status
    response.request, response.url = request, str(request.url)
    response.encoding = "utf-8"
    # Without an address to lead to, `requests` follows nothing.
    response.headers.update({name: value for name, value in answer.headers.items() if name != "location"})
    response._content = answer.text.encode()
    return response


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value
