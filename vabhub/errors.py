"""Every error VabHub raises on purpose.

VabHubError
├── SettingsError            a setting is missing or wrong; stops the start
├── ValidationFailed    422  the input is wrong; names the fields
├── BadRequest          400  the request cannot be read at all
├── Unauthorized        401  no valid credential
├── Forbidden           403  a valid credential without the right
├── NotFound            404
├── Conflict            409  the request is right, the state is not
├── RateLimited         429  come back later
└── Unavailable         503  a part we need does not answer; nothing was stored
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class FieldError:
    """One wrong field: where, what a person reads, and a stable code for programs."""

    field: str
    message: str
    code: str = "invalid"


class VabHubError(Exception):
    """The root. `http_status` and `error_code` are what an HTTP answer carries."""

    http_status: ClassVar[int] = 500
    error_code: ClassVar[str] = "INTERNAL_SERVER_ERROR"

    def __init__(self, message: str, *, details: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.details = details


class SettingsError(VabHubError):
    """A setting is missing or wrong. The text names the variable and what was expected."""


class ValidationFailed(VabHubError):
    """The input is wrong; `errors` names each field."""

    http_status = 422
    error_code = "VALIDATION_ERROR"

    def __init__(self, errors: Sequence[FieldError], message: str = "The request is not valid.") -> None:
        super().__init__(message)
        self.errors = tuple(errors)


class BadRequest(VabHubError):
    """The request cannot be read: broken JSON, a wrong content type."""

    http_status = 400
    error_code = "BAD_REQUEST"


class Unauthorized(VabHubError):
    """No credential, or one that is unknown, expired or revoked."""

    http_status = 401
    error_code = "UNAUTHORIZED"


class Forbidden(VabHubError):
    """The credential is valid and lacks the scope, or the CSRF header is missing."""

    http_status = 403
    error_code = "FORBIDDEN"


class NotFound(VabHubError):
    """There is nothing under that name or id."""

    http_status = 404
    error_code = "NOT_FOUND"


class Conflict(VabHubError):
    """The request is right, but not in the state that the thing is in."""

    http_status = 409
    error_code = "CONFLICT"


class _ComeBackLater(VabHubError):
    def __init__(
        self, message: str, *, retry_after_s: float = 5, details: dict[str, Any] | None = None
    ) -> None:
        super().__init__(message, details=details)
        self.retry_after_s = retry_after_s


class RateLimited(_ComeBackLater):
    """Too many requests; `retry_after_s` says when the next one may come."""

    http_status = 429
    error_code = "RATE_LIMITED"


class Unavailable(_ComeBackLater):
    """Database, Redis or disk does not answer. Nothing was stored; the same request may be repeated."""

    http_status = 503
    error_code = "UNAVAILABLE"
