"""Name what is wrong with a source, so that the page can say what to do.

SourceFailed (raised inside a collector only; every reading carries the fault as a value)
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import NameResolutionError, NewConnectionError


class FaultCode(StrEnum):
    """Why a source gives no values."""

    DNS = "DNS"
    REFUSED = "REFUSED"
    UNREACHABLE = "UNREACHABLE"
    TIMEOUT = "TIMEOUT"
    TLS = "TLS"
    BAD_URL = "BAD_URL"
    CREDENTIALS = "CREDENTIALS"
    BANNED = "BANNED"
    HOST_REFUSED = "HOST_REFUSED"
    WRONG_PATH = "WRONG_PATH"
    WRONG_SERVICE = "WRONG_SERVICE"
    VERSION = "VERSION"
    TOO_LARGE = "TOO_LARGE"
    UPSTREAM = "UPSTREAM"
    INTERNAL = "INTERNAL"
    UNCHECKED = "UNCHECKED"  # not asked: what it said to the last login cannot be looked up

    @property
    def is_network(self) -> bool:
        """Tell whether the source was not reached at all."""
        return self in _NETWORK


_NETWORK = frozenset({FaultCode.DNS, FaultCode.REFUSED, FaultCode.UNREACHABLE, FaultCode.TIMEOUT})


@dataclass(frozen=True, slots=True)
class SourceFault:
    """A named fault and one sentence that says what to do about it; never a secret."""

    code: FaultCode
    text: str


class SourceFailed(Exception):
    """A source did not give what it was asked for."""

    def __init__(self, code: FaultCode, text: str) -> None:
        super().__init__(text)
        self.fault = SourceFault(code, text)


def without_credentials(url: str) -> str:
    """Return the address as a fault may show it: no user, no password, no query."""
    try:
        parts = urlsplit(url)
        return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()
    except ValueError:
        return "The address"


def fault_text(code: FaultCode, where: str) -> str:
    """Return what a fault of the way to `where` says, whichever program should answer there."""
    return _TEXTS[code].format(where=where)


def causes(error: BaseException) -> list[BaseException]:
    """Return the exceptions that HTTP libraries wrapped around one another, outermost first."""
    found: list[BaseException] = []
    todo: list[object] = [error]
    while todo and len(found) < 20:
        item = todo.pop(0)
        if isinstance(item, BaseException) and item not in found:
            found.append(item)
            todo += [*item.args, item.__cause__, item.__context__, getattr(item, "reason", None)]
    return found


def network_fault(error: requests.RequestException, where: str) -> SourceFault:
    """Return the fault behind an exception of `requests`; `where` is the address without credentials."""
    code = _network_code(error)
    return SourceFault(code, fault_text(code, where))


def _network_code(error: requests.RequestException) -> FaultCode:
    for kind, code in _BY_EXCEPTION:
        if isinstance(error, kind):
            return code
    return _connection_code(error)


def _connection_code(error: BaseException) -> FaultCode:
    chain = causes(error)
    if any(isinstance(cause, NameResolutionError) for cause in chain):
        return FaultCode.DNS
    if any(isinstance(cause, ConnectionRefusedError) for cause in chain):
        return FaultCode.REFUSED
    refused = any(isinstance(cause, NewConnectionError) and "refused" in str(cause) for cause in chain)
    return FaultCode.REFUSED if refused else FaultCode.UNREACHABLE


_BY_EXCEPTION: tuple[tuple[type[requests.RequestException], FaultCode], ...] = (
    (requests.exceptions.SSLError, FaultCode.TLS),
    (requests.exceptions.Timeout, FaultCode.TIMEOUT),
    (requests.exceptions.ChunkedEncodingError, FaultCode.WRONG_SERVICE),
    (requests.exceptions.ContentDecodingError, FaultCode.WRONG_SERVICE),
    (requests.exceptions.InvalidURL, FaultCode.BAD_URL),
    (requests.exceptions.InvalidSchema, FaultCode.BAD_URL),
    (requests.exceptions.MissingSchema, FaultCode.BAD_URL),
)

_TEXTS: dict[FaultCode, str] = {
    FaultCode.DNS: "The name in {where} is not known. Check the address.",
    FaultCode.REFUSED: "Nothing listens at {where}. Check that the program runs and the port is right.",
    FaultCode.UNREACHABLE: "{where} is not reachable. Check the network and the address.",
    FaultCode.TIMEOUT: "{where} did not answer in time. It may be busy, asleep or behind a firewall.",
    FaultCode.TLS: "The certificate of {where} is not trusted, or it speaks no TLS. Check http or https.",
    FaultCode.BAD_URL: "{where} is not a web address. Write it as http://host:port.",
    FaultCode.WRONG_SERVICE: "{where} broke off its answer, or sent one that cannot be read.",
}
