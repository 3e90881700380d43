"""A request body written by the user: a template in the sandbox, checked when it is saved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vabhub.sandbox import TemplateFault, compile_template, unknown_name

KNOWN = frozenset({"id", "title", "message", "type", "priority", "link", "image_url", "data", "timestamp"})


def checked(source: str | None) -> str | None:
    """Return `source` when it can be read; raises ValueError with the line and the reason."""
    if not source or not source.strip():
        return None
    try:
        compile_template(source)
    except TemplateFault as fault:
        raise ValueError(fault.message) from fault
    if (unknown := unknown_name(source, KNOWN)) is not None:
        raise ValueError(unknown.message)
    return source


def render(source: str, values: Mapping[str, Any]) -> str:
    """Return the body; raises TemplateFault."""
    return compile_template(source).render(values)
