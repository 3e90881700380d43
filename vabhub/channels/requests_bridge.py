"""Leads what a library sends with `requests` over our own client, and writes down what was answered.

Only while `recording()`: the rest of the process is not touched.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from vabhub.channels import http
from vabhub.channels.base import Outcome

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
    original = HTTPAdapter.send

    def send(self: HTTPAdapter, request: requests.PreparedRequest, *args: Any, **more: Any) -> Any:
        exchanges = _exchanges.get()
        if exchanges is None:
            return original(self, request, *args, **more)
        return _send(request, exchanges, verify=more.get("verify", True) is not False)

    send.is_bridge = True  # type: ignore[attr-defined]
    HTTPAdapter.send = send  # type: ignore[method-assign]


def _send(request: requests.PreparedRequest, exchanges: Exchanges, *, verify: bool) -> requests.Response:
    from requests.exceptions import ConnectionError as NoConnection

    headers = {name: _text(value) for name, value in request.headers.items() if name.lower() not in _OURS}
    answer = http.request(
        str(request.method), str(request.url), headers=headers, content=request.body or b"", verify=verify
    )
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
