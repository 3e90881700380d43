"""Turns a JSON Schema into the fields of a form; knows no provider, only the shapes a schema may have."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Shape = Literal["text", "secret", "number", "switch", "choice", "lines", "pairs", "area", "json"]

_LONG_TEXT = 1024


@dataclass(frozen=True, slots=True)
class Field:
    """One field. `value` is what its control shows; `rules` are the control's HTML attributes."""

    name: str
    label: str
    hint: str
    shape: Shape
    required: bool
    value: Any
    options: tuple[str, ...]
    rules: Mapping[str, Any]
    example: str  # what holds when it is left empty


def fields(schema: Mapping[str, Any], values: Mapping[str, Any], locale: str) -> list[Field]:
    """Return a field for each property, the required ones first, filled with `values`.

    Labels are `title`, or `title_zh` for a reader of Chinese; `description` is the hint. A secret that is
    stored comes as `***`.
    """
    required = set(schema.get("required", ()))
    properties: Mapping[str, Any] = schema.get("properties", {})
    made = [
        _field(name, _resolved(prop, schema), values.get(name), name in required, locale)
        for name, prop in properties.items()
    ]
    return sorted(made, key=lambda field: not field.required)


def _field(name: str, prop: Mapping[str, Any], value: Any, required: bool, locale: str) -> Field:
    shape = _shape(prop)
    default = prop.get("default")
    return Field(
        name=name,
        label=_words(prop, "title", locale) or name,
        hint=_words(prop, "description", locale),
        shape=shape,
        required=required,
        value=_shown(shape, default if value is None and shape in {"choice", "switch"} else value),
        options=_options(prop, optional=not required and default is None),
        rules=_rules(shape, prop),
        example="" if default is None or shape == "json" else str(_shown(shape, default)),
    )


def _resolved(prop: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the property with its reference followed, and of several forms the one that holds most."""
    found = dict(prop)
    if "$ref" in found:
        target = schema.get("$defs", {}).get(str(found.pop("$ref")).rpartition("/")[2], {})
        return {**_resolved(target, schema), **found}
    forms = [
        _resolved(form, schema)
        for key in ("anyOf", "oneOf", "allOf")
        for form in found.pop(key, ())
        if form.get("type") != "null"
    ]
    # An address or a list of addresses: the list holds both.
    forms.sort(key=lambda form: form.get("type") == "array")
    for form in forms:
        found = {**form, **found, **({"type": form["type"]} if "type" in form else {})}
    return found


def _shape(prop: Mapping[str, Any]) -> Shape:
    match prop:
        case {"enum": _} | {"const": _}:
            return "choice"
        case {"type": "boolean"}:
            return "switch"
        case {"type": "integer" | "number"}:
            return "number"
        case {"type": "string"}:
            return _text_shape(prop)
    return _many_shape(prop)


def _text_shape(prop: Mapping[str, Any]) -> Shape:
    if prop.get("secret"):
        return "secret"
    return "area" if prop.get("maxLength", 0) > _LONG_TEXT and "format" not in prop else "text"


def _many_shape(prop: Mapping[str, Any]) -> Shape:
    match prop:
        case {"type": "array", "items": {"type": "string"}}:
            return "lines"
        case {"type": "object", "additionalProperties": {"type": "string"}}:
            return "pairs"
    return "json"


def _shown(shape: Shape, value: Any) -> Any:
    if shape == "switch":
        return bool(value)
    if value is None:
        return ""
    if shape == "lines":
        return "\n".join(map(str, value)) if isinstance(value, list) else str(value)
    if shape == "pairs" and isinstance(value, Mapping):
        return "\n".join(f"{name}: {text}" for name, text in value.items())
    return json.dumps(value, ensure_ascii=False) if shape == "json" else str(value)


def _options(prop: Mapping[str, Any], *, optional: bool) -> tuple[str, ...]:
    known = prop.get("enum") or ([prop["const"]] if "const" in prop else [])
    return (("",) if optional and known else ()) + tuple(map(str, known))


_RULES = {
    "number": {"minimum": "min", "maximum": "max"},
    "text": {"maxLength": "maxlength"},
    "secret": {"maxLength": "maxlength"},
    "area": {"maxLength": "maxlength"},
}


def _rules(shape: Shape, prop: Mapping[str, Any]) -> dict[str, Any]:
    found = {html: prop[ours] for ours, html in _RULES.get(shape, {}).items() if ours in prop}
    if shape == "number":
        found["step"] = 1 if prop.get("type") == "integer" else "any"
    if str(prop.get("format", "")) in {"uri", "url"}:
        found["inputmode"] = "url"
    if prop.get("format") == "email":
        found["inputmode"] = "email"
    return found


def _words(prop: Mapping[str, Any], name: str, locale: str) -> str:
    return str(prop.get(f"{name}_{locale}") or prop.get(name) or "")
