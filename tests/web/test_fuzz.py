"""Made-up requests from the description: no 5xx, and every answer is of the described form."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode, checks

from tests.web.conftest import CookieClient

_CHECKS = [
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
    checks.negative_data_rejection,
]
_EXAMPLES = 6


@pytest.mark.timeout(120)
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_no_request_makes_a_5xx_or_an_answer_of_another_form(
    app: Flask, admin_client: CookieClient, token: Callable[..., dict[str, str]], mode: GenerationMode
) -> None:
    header = token("admin")
    api = schemathesis.openapi.from_wsgi("/api/openapi.json", app, headers=header)
    for result in api.get_all_operations():
        operation = result.ok()
        if mode is GenerationMode.POSITIVE or _takes_input(operation):
            _fuzz(operation, header, mode)


def _takes_input(operation: Any) -> bool:
    raw = operation.definition.raw
    return bool(raw.get("parameters") or raw.get("requestBody"))


def _fuzz(operation: Any, header: dict[str, str], mode: GenerationMode) -> None:
    @seed(20261123)
    @settings(
        max_examples=_EXAMPLES if _takes_input(operation) else 1,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def run(data: Any) -> None:
        case = data.draw(operation.as_strategy(generation_mode=mode))
        case.call_and_validate(headers=header, checks=_CHECKS)

    run()
