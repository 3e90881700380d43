"""The one HTTP client of a process, and what its errors mean for a delivery.

A channel calls `request` and gets an Answer, or an Outcome when no answer came. Redirects are not
followed, an answer is read to 64 KB, and no exchange takes longer than 20 s whatever the other side does.
"""

from __future__ import annotations

import atexit
import os
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies

import httpx
from pydantic import AnyHttpUrl

from vabhub import __version__, clock
from vabhub.channels.base import Outcome, OutcomeKind
from vabhub.channels.bounded import BoundedTransport, deadline
from vabhub.channels.guard import Refused, check

TOTAL_S = 20.0
TIMEOUT = httpx.Timeout(connect=3.0, read=10.0, write=10.0, pool=3.0)
LIMITS = httpx.Limits(max_connections=100, max_keepalive_connections=50, keepalive_expiry=15.0)
MAX_ANSWER_BYTES = 65536
_NEVER_LEFT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
_CANNOT_LEAVE = (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.LocalProtocolError, UnicodeError)
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


@dataclass(frozen=True, slots=True)
class Answer:
    """A provider's answer; `complete` is False when its body was torn or took too long."""

    status: int
    headers: httpx.Headers
    text: str
    complete: bool = True


def request(
    method: str, url: str, *, headers: Mapping[str, str] | None = None, verify: bool = True, **body: Any
) -> Answer | Outcome:
    """Send one request; `body` is httpx's `json=` or `content=`. Without `verify` any certificate will do.

    Returns an Outcome only where no answer came: TRANSIENT if the request never left, UNCERTAIN if it did,
    PERMANENT_CHANNEL if the address cannot or must not be called.
    """
    token = deadline.set(time.monotonic() + TOTAL_S)
    try:
        _check(url)
        with client(verify=verify).stream(method, url, headers=dict(headers or {}), **body) as response:
            return _read(response)
    except Refused as error:
        return Outcome(OutcomeKind.PERMANENT_CHANNEL, str(error))
    except _NEVER_LEFT as error:
        return Outcome(OutcomeKind.TRANSIENT, _describe("no connection", error))
    except _CANNOT_LEAVE as error:
        return Outcome(OutcomeKind.PERMANENT_CHANNEL, _describe("the address cannot be called", error))
    except httpx.TransportError as error:
        return Outcome(OutcomeKind.UNCERTAIN, _describe("sent, but no answer", error))
    finally:
        deadline.reset(token)


def post_json(url: str, body: Any, *, headers: Mapping[str, str] | None = None) -> Answer | Outcome:
    """Post JSON; see `request`."""
    return request("POST", url, json=body, headers=headers)


def address(base_url: AnyHttpUrl, path: str) -> str:
    """Return the address of `path` (with a slash in front) below `base_url`."""
    return str(base_url).rstrip("/") + path


def moved(url: AnyHttpUrl, base_url: AnyHttpUrl | None) -> str:
    """Return a provider's whole address, below `base_url` in place of its own host where one is set."""
    if base_url is None:
        return str(url)
    parts = urlsplit(str(url))
    return address(base_url, parts.path + (f"?{parts.query}" if parts.query else ""))


def outcome_by_status(answer: Answer) -> Outcome:
    """Return what the HTTP status alone says, for receivers that have no signal of their own."""
    status, wait_s = answer.status, retry_after_s(answer)
    if 200 <= status < 300:
        return Outcome(OutcomeKind.OK, answer.text, status)
    if 300 <= status < 400:
        target = answer.headers.get("location", "an unnamed place")
        text = f"the address redirects to {target}; redirects are not followed, set the final address"
        return Outcome(OutcomeKind.PERMANENT_CHANNEL, text, status)
    if status == 429 or (status == 503 and wait_s is not None):
        return Outcome(OutcomeKind.RATE_LIMITED, answer.text, status, retry_after_s=wait_s)
    return Outcome(OutcomeKind.TRANSIENT, answer.text, status, retry_after_s=wait_s)


def retry_after_s(answer: Answer) -> float | None:
    """Return the seconds that the Retry-After header asks for (seconds or HTTP date), or None."""
    value = answer.headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d{1,9}(\.\d+)?", value):
        return float(value)
    until = _http_date(value)
    if until is None:
        return None
    # The sender's own clock is the measure: ours may be wrong by hours.
    now = _http_date(answer.headers.get("date", "")) or clock.utcnow()
    return max(0.0, (until - now).total_seconds())


def is_header(name: str, value: str) -> bool:
    """Say whether HTTP can carry that header (RFC 9110, 5.5 and 5.6.2)."""
    return bool(_HEADER_NAME.fullmatch(name.strip())) and value.isascii() and value.isprintable()


def client(*, verify: bool = True) -> httpx.Client:
    """Return this process' client; a fork gets its own, and so does trust in any certificate."""
    return _client(os.getpid(), verify)


@cache
def _client(_pid: int, verify: bool) -> httpx.Client:
    # Identity: an answer is read for a person's eyes, and a compressed one could unfold to gigabytes.
    made = httpx.Client(
        transport=BoundedTransport(limits=LIMITS, verify=verify),
        mounts=_proxies(getproxies(), verify=verify),
        timeout=TIMEOUT,
        headers={"user-agent": f"VabHub/{__version__}", "accept-encoding": "identity"},
    )
    atexit.register(made.close)
    return made


def _proxies(found: Mapping[str, str], *, verify: bool) -> dict[str, httpx.BaseTransport | None]:
    # A client with its own transport ignores the environment's proxies, and many need one for Telegram.
    mounts: dict[str, httpx.BaseTransport | None] = {
        f"{scheme}://": BoundedTransport(limits=LIMITS, proxy=url, verify=verify)
        for scheme, url in found.items()
        if scheme in {"http", "https", "all"} and url.startswith(("http://", "https://"))
    }
    if not mounts:
        return {}
    direct = [host.strip() for host in found.get("no", "").split(",") if host.strip()]
    names = [f"all://*{host}" if host.startswith(".") else f"all://{host}" for host in direct if host != "*"]
    return {} if "*" in direct else mounts | dict.fromkeys(["all://localhost", "all://127.0.0.1", *names])


def _read(response: httpx.Response) -> Answer:
    body, complete = bytearray(), True
    try:
        for chunk in response.iter_raw():
            body += chunk
            if len(body) >= MAX_ANSWER_BYTES:
                break
    except httpx.TransportError:
        complete = False
    text = bytes(body[:MAX_ANSWER_BYTES]).decode(response.charset_encoding or "utf-8", "replace")
    return Answer(response.status_code, response.headers, text, complete)


def _check(url: str) -> None:
    """Raise Refused for an address that a proxy would call in our place."""
    parts = httpx.URL(url)
    check(parts.host, parts.port or {"http": 80, "https": 443}.get(parts.scheme))


def _describe(what: str, error: Exception) -> str:
    return f"{what}: {type(error).__name__}: {error}"


def _http_date(value: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value)
    except (TypeError, ValueError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
