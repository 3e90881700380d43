"""Reads a request's body and query into pydantic models, and says which field is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar, get_origin

from flask import request
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import from_json

from vabhub.errors import BadRequest, FieldError, ValidationFailed

M = TypeVar("M", bound=BaseModel)


class UnsupportedMediaType(BadRequest):
    """The body is not JSON by its own account."""

    http_status = 415
    error_code = "UNSUPPORTED_MEDIA_TYPE"


class BrokenJson(BadRequest):
    """The body says it is JSON and is not."""

    def __init__(self, message: str) -> None:
        super().__init__("The body is not valid JSON.")
        self.errors = (FieldError("body", message, "json_invalid"),)


class NoQuery(BaseModel):
    """The query of an endpoint that takes none."""

    model_config = ConfigDict(extra="forbid")


def read_body(model: type[M], *, required: bool = True) -> M:
    """Return the JSON body as the model, strictly: no number from a text, no field it does not know."""
    raw = request.get_data(cache=True)
    if not raw and not required:
        return model()
    if not request.is_json:
        raise UnsupportedMediaType("The body must be JSON, with Content-Type: application/json.")
    _check_readable(raw)
    try:
        return model.model_validate_json(raw, strict=True)
    except ValidationError as error:
        raise ValidationFailed(field_errors(error)) from None


def read_query(model: type[BaseModel] | None, *, strict: bool) -> BaseModel | None:
    """Return the query as the model.

    An endpoint that declares no query ignores one on a GET and refuses it on a write: a misspelt filter
    must never widen what is deleted.
    """
    if model is None and not strict:
        return None
    model = model or NoQuery
    given = {name: _values(model, name, values) for name, values in request.args.lists()}
    try:
        return model.model_validate_strings(given)
    except ValidationError as error:
        raise ValidationFailed(field_errors(error), "The query is not valid.") from None


def field_errors(error: ValidationError) -> list[FieldError]:
    """Return pydantic's faults in the contract's shape; a field inside others is written `a.b.0`."""
    faults = error.errors(include_url=False, include_input=False, include_context=False)
    return [
        FieldError(
            field=".".join(str(part) for part in fault["loc"]) or "body",
            message=fault["msg"].removeprefix("Value error, "),
            code=fault["type"],
        )
        for fault in faults
    ]


def _check_readable(raw: bytes) -> None:
    try:
        # NaN and Infinity are not JSON, and no other JSON reader would take them back from us.
        content = from_json(raw, allow_inf_nan=False)
    except ValueError as error:
        raise BrokenJson(str(error)) from None
    # PostgreSQL cannot store U+0000 in a text.
    if b"\\u0000" in raw and (path := next(_null_characters(content, ""), None)) is not None:
        raise ValidationFailed([FieldError(path or "body", "A text must not hold U+0000.", "null_character")])


def _null_characters(value: Any, path: str) -> Iterator[str]:
    match value:
        case str() if "\x00" in value:
            yield path
        case list():
            for index, item in enumerate(value):
                yield from _null_characters(item, _join(path, index))
        case dict():
            for key, item in value.items():
                if "\x00" in key:
                    yield path
                yield from _null_characters(item, _join(path, key))


def _join(path: str, part: object) -> str:
    return f"{path}.{part}" if path else str(part)


def _values(model: type[BaseModel], name: str, values: list[str]) -> Any:
    if any("\x00" in value for value in values):
        raise ValidationFailed([FieldError(name, "A text must not hold U+0000.", "null_character")])
    field = model.model_fields.get(name)
    if field is not None and get_origin(field.annotation) in (list, tuple):
        return values
    if len(values) > 1:
        raise ValidationFailed([FieldError(name, "Given more than once.", "repeated")])
    return values[0]
