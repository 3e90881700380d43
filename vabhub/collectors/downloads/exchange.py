"""One HTTP exchange with a download client: short time-outs, a bounded answer, and a name for every fault.

Redirects are not followed: a redirected login would hand the password to another address.
"""

from __future__ import annotations

import json
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import httpx

from vabhub import __version__
from vabhub.channels import guard
from vabhub.channels.bounded import BoundedTransport, deadline
from vabhub.collectors.downloads.faults import (
    FaultCode,
    SourceFailed,
    causes,
    fault_text,
    without_credentials,
)

CONNECT_TIMEOUT_S = 3.0
READ_TIMEOUT_S = 5.0
LONGEST_ANSWER_S = 10.0
LARGEST_ANSWER_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Reply:
    """A client's answer, read whole."""

    status: int
    headers: httpx.Headers
    body: bytes

    @property
    def text(self) -> str:
        """Return the body as text; a byte that is no UTF-8 becomes a replacement character."""
        return self.body.decode("utf-8", "replace")


class Exchange:
    """The connection to one client. Every method raises SourceFailed with a named fault."""

    def __init__(
        self, program: str, url: str, *, auth: tuple[str, str] | None = None, verify_tls: bool = True
    ) -> None:
        self.program = program
        self.where = without_credentials(url)
        self._url = url
        self._client = httpx.Client(
            transport=BoundedTransport(verify=_tls(verify=verify_tls)),
            auth=auth,
            timeout=httpx.Timeout(READ_TIMEOUT_S, connect=CONNECT_TIMEOUT_S),
            headers={"user-agent": f"VabHub/{__version__}", "accept-encoding": "identity"},
        )

    def post(self, *, headers: Mapping[str, str] | None = None, **body: Any) -> Reply:
        """Send one request; `body` is httpx's `json=` or `data=`. Redirects and faults of 5xx raise."""
        token = deadline.set(time.monotonic() + LONGEST_ANSWER_S)
        try:
            with self._client.stream("POST", self._url, headers=dict(headers or {}), **body) as response:
                reply = Reply(response.status_code, response.headers, self._read(response))
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError, ValueError, guard.Refused) as error:
            code = _code(error)
            raise SourceFailed(code, fault_text(code, self.where)) from error
        finally:
            deadline.reset(token)
        return self._checked(reply)

    def parsed(self, reply: Reply) -> dict[str, Any]:
        """Return the object that the body is; WRONG_PATH or WRONG_SERVICE when it is none."""
        if reply.status == 404:
            raise self.failed(FaultCode.WRONG_PATH)
        try:
            found = json.loads(reply.text)
        except (ValueError, RecursionError) as error:
            raise self.failed(FaultCode.WRONG_SERVICE) from error
        if not isinstance(found, dict):
            raise self.failed(FaultCode.WRONG_SERVICE)
        return found

    def failed(self, code: FaultCode, **words: Any) -> SourceFailed:
        """Return a fault of this client, ready to be raised."""
        return SourceFailed(code, _TEXTS[code].format(program=self.program, where=self.where, **words))

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _read(self, response: httpx.Response) -> bytes:
        body = bytearray()
        for chunk in response.iter_bytes():
            body += chunk
            if len(body) > LARGEST_ANSWER_BYTES:
                raise self.failed(FaultCode.TOO_LARGE)
        return bytes(body)

    def _checked(self, reply: Reply) -> Reply:
        if 300 <= reply.status < 400:
            raise SourceFailed(FaultCode.WRONG_SERVICE, _REDIRECTED.format(where=self.where))
        if reply.status >= 500:
            raise self.failed(FaultCode.UPSTREAM, status=reply.status)
        return reply


@cache
def _tls(*, verify: bool) -> ssl.SSLContext:
    # Reading the authorities' certificates takes longer than an exchange.
    return httpx.create_ssl_context(verify=verify)


def _code(error: Exception) -> FaultCode:
    if isinstance(error, httpx.TimeoutException):
        return FaultCode.TIMEOUT
    if isinstance(error, httpx.ConnectError):
        return _connect_code(error)
    if isinstance(error, (httpx.RemoteProtocolError, httpx.ReadError, httpx.DecodingError)):
        return FaultCode.WRONG_SERVICE
    return FaultCode.UNREACHABLE if isinstance(error, httpx.NetworkError) else FaultCode.BAD_URL


def _connect_code(error: httpx.ConnectError) -> FaultCode:
    chain = causes(error)
    for kind, code in (
        (ssl.SSLError, FaultCode.TLS),
        (socket.gaierror, FaultCode.DNS),
        (ConnectionRefusedError, FaultCode.REFUSED),
    ):
        if any(isinstance(cause, kind) for cause in chain):
            return code
    return FaultCode.UNREACHABLE


_REDIRECTED = (
    "{where} redirects to another page, as a proxy's login or a change to https does. "
    "Give the address that the program itself answers at."
)
_TEXTS: dict[FaultCode, str] = {
    FaultCode.BANNED: "{program} at {where} has banned this machine after too many failed logins. {advice}",
    FaultCode.HOST_REFUSED: "{program} at {where} does not let this machine in: {said}. {advice}",
    FaultCode.WRONG_PATH: "{where} answers, but has no interface of {program} below that path. "
    "Check the end of the address.",
    FaultCode.WRONG_SERVICE: "{where} answers, but not as {program} does. Check the address and the port.",
    FaultCode.VERSION: "{program} at {where} does not know what it is asked. Update it: {said}.",
    FaultCode.TOO_LARGE: "{program} at {where} lists more than VabHub reads at once. "
    "Remove what is finished from its list.",
    FaultCode.UPSTREAM: "{where} answered {status}: {program} or the proxy in front of it has a fault.",
}
