"""Describes the declared endpoints as OpenAPI 3.1."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from flask import Flask
from pydantic import TypeAdapter
from pydantic.json_schema import JsonSchemaMode
from werkzeug.routing import Rule

from vabhub import __version__
from web.endpoint import Access, Operation, operation_of

Json = dict[str, Any]
_REF = "#/components/schemas/{model}"
_ALWAYS = (401, 403, 422, 500, 503)
_WITH_BODY = (400, 413, 415)
_CONVERTERS: dict[str, Json] = {"id": {"type": "integer", "minimum": 1, "maximum": 999_999_999}}
_PARAMETER = re.compile(r"<(?:(?P<converter>\w+):)?(?P<name>\w+)>")

ERROR: Json = {
    "type": "object",
    "required": ["success", "error_code", "error_message", "timestamp"],
    "properties": {
        "success": {"const": False},
        "error_code": {"type": "string"},
        "error_message": {"type": "string"},
        "errors": {"type": "array", "items": {"$ref": "#/components/schemas/FieldError"}},
        "details": {"type": "object"},
        "timestamp": {"type": "string", "format": "date-time"},
    },
    "additionalProperties": False,
}
FIELD_ERROR: Json = {
    "type": "object",
    "required": ["field", "message", "code"],
    "properties": {name: {"type": "string"} for name in ("field", "message", "code")},
    "additionalProperties": False,
}
META: Json = {
    "type": "object",
    "properties": {
        "source": {"type": "string"},
        "collected_at": {"type": ["string", "null"], "format": "date-time"},
        "age_s": {"type": ["number", "null"]},
        "ttl_s": {"type": "number"},
        "cache": {"enum": ["hit", "miss", "stale"]},
        "status": {"enum": ["ok", "stale", "error", "unconfigured"]},
        "error": {"type": "string"},
        "error_code": {"type": ["string", "null"]},
    },
}
SECURITY: Json = {
    "token": {"type": "http", "scheme": "bearer"},
    "apiKey": {"type": "apiKey", "in": "header", "name": "X-Api-Key"},
    "session": {"type": "apiKey", "in": "cookie", "name": "vabhub_session"},
}


def document(app: Flask) -> Json:
    """Return the whole description; made once an application."""
    if "vabhub_openapi" not in app.extensions:
        app.extensions["vabhub_openapi"] = _build(app)
    built: Json = app.extensions["vabhub_openapi"]
    return built


def sections(api: Json) -> dict[str, list[Json]]:
    """Return the operations by tag, as the page lists them."""
    found: dict[str, list[Json]] = defaultdict(list)
    for path, methods in api["paths"].items():
        for method, operation in methods.items():
            found[operation["tags"][0]].append({"method": method.upper(), "path": path, **operation})
    return dict(sorted(found.items()))


def _build(app: Flask) -> Json:
    declared = list(_declared(app))
    schemas, definitions = _schemas([operation for _, operation in declared])
    paths: dict[str, Json] = defaultdict(dict)
    for rule, operation in declared:
        paths[_path(rule)][operation.method.lower()] = _operation(rule, operation, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "VabHub",
            "version": __version__,
            "description": "Every answer comes in one of two envelopes, told apart by `success`.",
        },
        "servers": [{"url": "/"}],
        "security": [{name: []} for name in SECURITY],
        "paths": dict(sorted(paths.items())),
        "components": {
            "securitySchemes": SECURITY,
            "schemas": {**definitions, "Error": ERROR, "FieldError": FIELD_ERROR, "Meta": META},
        },
    }


def _declared(app: Flask) -> Iterator[tuple[Rule, Operation]]:
    for rule in app.url_map.iter_rules():
        operation = operation_of(app.view_functions[rule.endpoint])
        if operation is not None:
            yield rule, operation


def _schemas(operations: list[Operation]) -> tuple[dict[tuple[Any, JsonSchemaMode], Json], Json]:
    """Return every model's schema by model and mode, and the definitions they share."""
    wanted: dict[str, tuple[Any, JsonSchemaMode]] = {}
    for operation in operations:
        for model, mode in _models(operation):
            wanted[f"{model!r} {mode}"] = (model, mode)
    inputs = [(key, mode, TypeAdapter(model)) for key, (model, mode) in wanted.items()]
    schemas, top = TypeAdapter.json_schemas(inputs, ref_template=_REF)
    return {(key, mode): schema for (key, mode), schema in schemas.items()}, top.get("$defs", {})


def _models(operation: Operation) -> Iterator[tuple[Any, JsonSchemaMode]]:
    if operation.body is not None:
        yield operation.body, "validation"
    if operation.query is not None:
        yield operation.query, "validation"
    if operation.answer is not None:
        yield operation.answer, "serialization"


def _schema_of(schemas: dict[tuple[Any, JsonSchemaMode], Json], model: Any, mode: JsonSchemaMode) -> Json:
    return schemas[f"{model!r} {mode}", mode]


def _operation(rule: Rule, operation: Operation, schemas: Any) -> Json:
    described: Json = {
        "operationId": f"{rule.endpoint}:{operation.method}:{rule.rule}",
        "tags": [rule.endpoint.partition(".")[0]],
        "summary": operation.summary,
        "parameters": [*_path_parameters(rule), *_query_parameters(operation, schemas), *_headers(operation)],
        "responses": _responses(operation, schemas),
        "x-scope": operation.scope.value,
    }
    if operation.description:
        described["description"] = operation.description
    if operation.scope in (Access.OPEN, Access.SETUP):
        described["security"] = []
    if operation.body is not None:
        schema = _schema_of(schemas, operation.body, "validation")
        content = {"application/json": {"schema": schema}}
        described["requestBody"] = {"required": operation.body_required, "content": content}
    return described


def _path(rule: Rule) -> str:
    return _PARAMETER.sub(r"{\g<name>}", rule.rule)


def _path_parameters(rule: Rule) -> Iterator[Json]:
    for found in _PARAMETER.finditer(rule.rule):
        schema = _CONVERTERS.get(found["converter"], {"type": "string", "minLength": 1, "pattern": "^[^/]+$"})
        yield {"name": found["name"], "in": "path", "required": True, "schema": schema}


def _query_parameters(operation: Operation, schemas: Any) -> Iterator[Json]:
    if operation.query is None:
        return
    schema = operation.query.model_json_schema(ref_template=_REF)
    for name, field in schema.get("properties", {}).items():
        required = name in schema.get("required", [])
        yield {"name": name, "in": "query", "required": required, "schema": _without_null(field)}


def _without_null(field: Json) -> Json:
    """Return the schema without null: a query cannot say it, it leaves the field out."""
    options = [option for option in field.get("anyOf", []) if option.get("type") != "null"]
    if not options:
        return field
    rest = {key: value for key, value in field.items() if key not in {"anyOf", "default"}}
    return {**rest, **(options[0] if len(options) == 1 else {"anyOf": options})}


def _headers(operation: Operation) -> Iterator[Json]:
    for name, text in operation.headers.items():
        schema = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"}
        yield {"name": name, "in": "header", "required": False, "description": text, "schema": schema}


def _responses(operation: Operation, schemas: Any) -> Json:
    statuses = {*_ALWAYS, *operation.errors, *(_WITH_BODY if operation.body else ())}
    if operation.scope in (Access.OPEN, Access.SETUP):
        statuses.add(403)
    found: Json = {str(operation.status): _success(operation, schemas)}
    for status in sorted(statuses):
        found[str(status)] = {
            "description": HTTPStatus(status).phrase,
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
        }
    return found


def _success(operation: Operation, schemas: Any) -> Json:
    data = _schema_of(schemas, operation.answer, "serialization") if operation.answer is not None else {}
    envelope = {
        "type": "object",
        "required": ["success", "message", "data", "timestamp"],
        "properties": {
            "success": {"const": True},
            "message": {"type": "string"},
            "data": data,
            "meta": {"$ref": "#/components/schemas/Meta"},
            "timestamp": {"type": "string", "format": "date-time"},
        },
        "additionalProperties": False,
    }
    phrase = HTTPStatus(operation.status).phrase
    return {"description": phrase, "content": {"application/json": {"schema": envelope}}}
