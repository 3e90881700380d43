"""A request body written by the user: Jinja in a sandbox, checked when it is saved."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError
from jinja2.sandbox import ImmutableSandboxedEnvironment

MAX_CHARACTERS = 262_144


class BodyFault(Exception):
    """A template could not be filled in; the text says why."""


def checked(source: str | None) -> str | None:
    """Return `source` when it can be parsed; raises ValueError with the line and the reason."""
    if not source or not source.strip():
        return None
    try:
        _environment.parse(source)
    except TemplateSyntaxError as error:
        raise ValueError(f"line {error.lineno}: {error.message}") from error
    return source


def render(source: str, values: Mapping[str, Any]) -> str:
    """Return the body; raises BodyFault."""
    try:
        body = _compiled(source).render(values)
    # A template is a program of the user's: it may fail in any way that Python can.
    except (TemplateError, ArithmeticError, LookupError, TypeError, ValueError, RecursionError) as error:
        raise BodyFault(f"{type(error).__name__}: {error}") from error
    if len(body) > MAX_CHARACTERS:
        raise BodyFault(f"it made more than {MAX_CHARACTERS} characters")
    return body


@lru_cache(maxsize=64)
def _compiled(source: str) -> Template:
    return _environment.from_string(source)


_environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False)
