"""The description is valid OpenAPI 3.1 and holds every declared endpoint."""

from __future__ import annotations

import json
import re
from typing import Any

import jsonschema_rs
import pytest
from flask import Flask

from tests.web.conftest import CookieClient
from web.endpoint import operation_of


@pytest.fixture
def api(admin_client: CookieClient) -> dict[str, Any]:
    content: dict[str, Any] = admin_client.get("/api/openapi.json").get_json()
    return content


def test_every_declared_endpoint_is_described(app: Flask, api: dict[str, Any]) -> None:
    declared = {
        (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule), operation.method.lower())
        for rule in app.url_map.iter_rules()
        if (operation := operation_of(app.view_functions[rule.endpoint]))
    }
    described = {(path, method) for path, methods in api["paths"].items() for method in methods}
    assert described == declared
    assert ("/api/notifications", "post") in described


def test_every_endpoint_has_an_id_of_its_own_and_its_scope(api: dict[str, Any]) -> None:
    operations = [operation for methods in api["paths"].values() for operation in methods.values()]
    assert len({operation["operationId"] for operation in operations}) == len(operations)
    assert all(operation["x-scope"] and operation["summary"] for operation in operations)


def test_the_document_has_the_form_of_openapi_3_1(api: dict[str, Any]) -> None:
    from schemathesis.openapi import from_dict  # its loader checks the document as a whole

    assert api["openapi"] == "3.1.0"
    assert [result.ok().label for result in from_dict(api).get_all_operations()]


def test_every_schema_in_it_is_a_json_schema(api: dict[str, Any]) -> None:
    whole = {"components": api["components"]}
    for schema in _schemas(api["paths"]):
        # With the definitions inside, so that each reference has to lead somewhere.
        jsonschema_rs.Draft202012Validator(json.loads(json.dumps({**whole, **schema})))
    for schema in api["components"]["schemas"].values():
        jsonschema_rs.Draft202012Validator({**whole, **schema})


def test_the_docs_page_shows_it_without_any_outside_host(
    admin_client: CookieClient, api: dict[str, Any]
) -> None:
    answer = admin_client.get("/api/docs")
    assert answer.mimetype == "text/html"
    for path in api["paths"]:
        assert path in answer.text
    assert not re.search(r'(?:src|href)="(?:https?:)?//', answer.text)
    assert not re.search(r'<script(?! src="/static/)', answer.text)
    assert "`" not in answer.text.partition("<details")[0]
    assert {'href="/"', 'href="/queue"'} <= set(re.findall(r'href="/(?:queue)?"', answer.text))
    assert "style=" not in answer.text
    sheet = re.search(r'href="(/static/[^"]+docs\.css)"', answer.text)
    assert sheet
    assert admin_client.get(sheet[1]).mimetype == "text/css"


def _schemas(node: Any) -> list[dict[str, Any]]:
    if isinstance(node, list):
        return [found for item in node for found in _schemas(item)]
    if not isinstance(node, dict):
        return []
    own = [node["schema"]] if isinstance(node.get("schema"), dict) else []
    return own + [found for value in node.values() for found in _schemas(value)]
