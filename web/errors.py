"""Turns every error into the contract's shape, and lets no traceback out."""

from __future__ import annotations

import math
from http import HTTPStatus
from typing import Any

import redis
from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException

from vabhub.errors import FieldError, Unavailable, VabHubError
from vabhub.log import get_logger
from web.envelope import failure

log = get_logger(__name__)

_CODES = {
    400: "BAD_REQUEST",
    401: "UNAUTHORIZED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    408: "REQUEST_TIMEOUT",
    409: "CONFLICT",
    413: "PAYLOAD_TOO_LARGE",
    414: "URI_TOO_LONG",
    415: "UNSUPPORTED_MEDIA_TYPE",
    422: "VALIDATION_ERROR",
    429: "RATE_LIMITED",
    431: "HEADERS_TOO_LARGE",
    503: "UNAVAILABLE",
}
_MESSAGES = {
    404: "There is nothing at this address.",
    405: "This address does not take that method.",
    413: "The body is larger than 1 MB.",
}


def init_app(app: Flask) -> None:
    """Register one handler for each kind of error."""
    app.register_error_handler(VabHubError, _own)
    app.register_error_handler(redis.RedisError, _redis_down)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _unexpected)


def _own(error: VabHubError) -> Response:
    if error.http_status >= 500:
        log.warning("web.request_refused", code=error.error_code, reason=error.message)
    if error.http_status == 500:
        return _unexpected(error)
    errors: tuple[FieldError, ...] = getattr(error, "errors", ())
    return _answer(
        error.http_status,
        error.error_code,
        error.message,
        errors=errors,
        details=error.details,
        headers=_headers(error),
    )


def _headers(error: VabHubError) -> dict[str, str]:
    retry_after_s = getattr(error, "retry_after_s", None)
    if retry_after_s is not None:
        return {"Retry-After": str(max(1, math.ceil(retry_after_s)))}
    return {"WWW-Authenticate": "Bearer"} if error.http_status == 401 else {}


def _redis_down(error: redis.RedisError) -> Response:
    log.warning("web.redis_down", reason=str(error)[:200])
    return _own(Unavailable("Redis does not answer.", retry_after_s=5))


def _http(error: HTTPException) -> Response:
    if error.response is not None or error.code is None or error.code < 400:
        return error.get_response()  # type: ignore[return-value]
    message = _MESSAGES.get(error.code) or error.description or HTTPStatus(error.code).phrase
    headers = {name: value for name, value in error.get_headers() if name in {"Allow", "Retry-After"}}
    code = _CODES.get(error.code, HTTPStatus(error.code).name)
    return _answer(error.code, code, message, headers=headers)


def _unexpected(error: Exception) -> Response:
    log.error("web.request_failed", exc_info=error)
    message = "Something went wrong here. The log holds the details under the request id."
    return _answer(500, "INTERNAL_SERVER_ERROR", message, details={"request_id": g.get("request_id")})


def _answer(status: int, code: str, message: str, **more: Any) -> Response:
    if request.path.startswith("/api") or not _prefers_page():
        return failure(status, code, message, **more)
    return _page(status, more.get("headers"))


def _prefers_page() -> bool:
    # By quality, not by the first of the list: Chromium's most exact entry is application/signed-exchange.
    accepted = request.accept_mimetypes
    return accepted.quality("text/html") > accepted.quality("application/json")


def _page(status: int, headers: dict[str, str] | None) -> Response:
    from web.pages import error_page

    return error_page(status, headers)
