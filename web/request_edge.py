"""What happens around every request: its id, its size limit, its log line, the security headers."""

from __future__ import annotations

import re
import secrets
import time
from functools import lru_cache
from typing import Any

from flask import Flask, Response, g, request
from werkzeug.exceptions import RequestEntityTooLarge

from vabhub.log import bind, get_logger, unbind_all
from web import metrics

log = get_logger(__name__)

LARGEST_BODY_BYTES = 1024 * 1024
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_HOST = re.compile(r"[A-Za-z0-9.-]+(:\d+)?|\[[0-9A-Fa-f:.]+\](:\d+)?")
_QUIET = ("/healthz", "/health", "/readyz", "/metrics", "/static/")


def init_app(app: Flask) -> None:
    """Put the edge around every request; it must be registered before the guard."""
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY_BYTES
    app.config["MAX_FORM_MEMORY_SIZE"] = LARGEST_BODY_BYTES
    app.before_request(_begin)
    app.before_request(_check_size)
    app.after_request(_secure)
    app.after_request(_finish)


@lru_cache(maxsize=64)
def content_security_policy(host: str, *, secure: bool) -> str:
    """Return the policy of every page: nothing but what this very host serves.

    The socket is named because Safari before 15.4 does not take 'self' for ws:.
    """
    socket = f" {'wss' if secure else 'ws'}://{host}" if _HOST.fullmatch(host) else ""
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        f"connect-src 'self'{socket}; font-src 'self'; manifest-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    )


def _begin() -> None:
    given = request.headers.get("X-Request-ID", "")
    g.request_id = given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(16)
    g.started = time.perf_counter()
    unbind_all()
    bind(request_id=g.request_id)
    _mend_cookies(request.environ)


def _mend_cookies(environ: dict[str, Any]) -> None:
    # Other programs on the same host name may have set cookies that are no UTF-8: Werkzeug would raise.
    raw = environ.get("HTTP_COOKIE")
    if raw and not raw.isascii():
        text = raw.encode("latin-1", "replace").decode("utf-8", "replace")
        environ["HTTP_COOKIE"] = text.encode("utf-8").decode("latin-1")


def _check_size() -> None:
    # Also for a route that never reads its body.
    if (request.content_length or 0) > LARGEST_BODY_BYTES:
        raise RequestEntityTooLarge
    # A chunked body tells no length, and Werkzeug cuts it at the limit without a word.
    chunked = "chunked" in request.headers.get("Transfer-Encoding", "").lower()
    if chunked and len(request.get_data(cache=True)) >= LARGEST_BODY_BYTES:
        raise RequestEntityTooLarge


def _secure(response: Response) -> Response:
    headers = response.headers
    headers["Content-Security-Policy"] = content_security_policy(request.host, secure=request.is_secure)
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "same-origin"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers["X-Request-ID"] = g.get("request_id", "")
    if not request.path.startswith("/static/"):
        headers.setdefault("Cache-Control", "no-store")
    return response


def _finish(response: Response) -> Response:
    spent_s = time.perf_counter() - g.get("started", time.perf_counter())
    route = request.url_rule.rule if request.url_rule else "unmatched"
    if not route.startswith("/api/ws"):  # a socket lasts for days: no latency of a request
        metrics.observe(request.method, route, response.status_code, spent_s)
    quiet = request.method in {"GET", "HEAD"} and (
        response.status_code < 400 or request.path.startswith(_QUIET)
    )
    write = log.debug if quiet else log.info
    write(
        "web.request",
        method=request.method,
        route=route,
        status=response.status_code,
        ms=round(spent_s * 1000, 1),
    )
    return response
