"""The two shapes every answer under /api has: success and error."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, is_dataclass
from datetime import date, datetime
from pathlib import PurePath
from typing import Any

from flask import Response, current_app
from flask.json.provider import DefaultJSONProvider
from pydantic import BaseModel

from vabhub.clock import isoformat, utcnow
from vabhub.errors import FieldError


@dataclass(frozen=True, slots=True)
class Answer:
    """Data, and what goes along with it. `status` replaces the one the endpoint declares."""

    data: Any = None
    message: str = "OK"
    meta: Mapping[str, Any] | None = None
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


class JsonProvider(DefaultJSONProvider):
    """JSON as the contract writes it: UTC times with Z, keys in the order they were given."""

    sort_keys = False
    ensure_ascii = False
    compact = True
    mimetype = "application/json"

    @staticmethod
    def default(value: Any) -> Any:
        """Write what the json module does not know."""
        return _plain(value)


def _plain(value: Any) -> Any:
    match value:
        case datetime():
            return isoformat(value)
        case date():
            return value.isoformat()
        case BaseModel():
            return value.model_dump(mode="json")
        case set() | frozenset():
            return sorted(value)
        case PurePath():
            return str(value)
        case _ if is_dataclass(value) and not isinstance(value, type):
            return asdict(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def success(answer: Answer, *, status: int = 200) -> Response:
    """Return the success envelope."""
    content: dict[str, Any] = {"success": True, "message": answer.message, "data": answer.data}
    if answer.meta is not None:
        content["meta"] = answer.meta
    return _json(content, status, answer.headers)


def failure(
    status: int,
    error_code: str,
    message: str,
    *,
    errors: Sequence[FieldError] = (),
    details: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return the error envelope."""
    content: dict[str, Any] = {"success": False, "error_code": error_code, "error_message": message}
    if errors:
        content["errors"] = [asdict(error) for error in errors]
    if details:
        content["details"] = details
    return _json(content, status, headers or {})


def _json(content: dict[str, Any], status: int, headers: Mapping[str, str]) -> Response:
    content["timestamp"] = isoformat(utcnow())
    text = dumps(content)
    response = Response(f"{text}\n", status=status, mimetype="application/json")
    response.headers.extend(headers)
    return response


def dumps(content: Any) -> str:
    """Return JSON as the contract writes it; a number that is none becomes null."""
    try:
        return current_app.json.dumps(content, separators=(",", ":"), allow_nan=False)
    except ValueError:  # a sensor that says NaN; JSON has no word for it, and unknown is null
        return current_app.json.dumps(_finite(content), separators=(",", ":"), allow_nan=False)


def _finite(value: Any) -> Any:
    match value:
        case float():
            return value if math.isfinite(value) else None
        case dict():
            return {key: _finite(item) for key, item in value.items()}
        case list() | tuple():
            return [_finite(item) for item in value]
    return value
