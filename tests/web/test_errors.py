"""Every error has the contract's shape, its status, and names the field."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask

from tests.support.redis import RedisServer
from tests.web.conftest import CookieClient
from vabhub import redis_client
from vabhub.clock import parse_iso
from vabhub.errors import RateLimited, Unavailable
from vabhub.models.account import ApiToken
from vabhub.settings import get_settings, use_settings
from web.endpoint import Access, page
from web.request_edge import LARGEST_BODY_BYTES

JSON = {"Content-Type": "application/json"}


def check(answer: Any, status: int, code: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.mimetype == "application/json"
    content: dict[str, Any] = answer.get_json()
    assert content["success"] is False
    assert content["error_code"] == code
    assert content["error_message"]
    assert parse_iso(content["timestamp"]).tzinfo is not None
    assert set(content) <= {"success", "error_code", "error_message", "errors", "details", "timestamp"}
    assert "Traceback" not in answer.text
    return content


def fields(content: dict[str, Any]) -> list[tuple[str, str]]:
    assert all(set(error) == {"field", "message", "code"} for error in content["errors"])
    return [(error["field"], error["code"]) for error in content["errors"]]


@pytest.fixture
def broken(app: Flask) -> Iterator[Flask]:
    """The application with routes that fail in every way."""

    def fail(error: Exception) -> Any:
        def view() -> str:
            raise error

        view.__name__ = type(error).__name__
        return view

    app._got_first_request = False
    for error in (
        RuntimeError("the secret is 12345"),
        Unavailable("Busy.", retry_after_s=7.2),
        RateLimited("Slow down.", retry_after_s=0.2),
        redis_client.redis.ConnectionError("gone"),
    ):
        page(app, f"/api/fail/{type(error).__name__}", access=Access.OPEN)(fail(error))
    yield app


def test_an_unknown_address_is_404_in_shape(client: CookieClient) -> None:
    check(client.get("/api/nothing"), 404, "NOT_FOUND")
    check(client.get("/api//auth/me"), 404, "NOT_FOUND")
    check(client.get("/api/notifications/4294967296"), 404, "NOT_FOUND")


def test_a_wrong_method_is_405_and_says_which_are_right(client: CookieClient) -> None:
    answer = client.get("/api/auth/login")
    check(answer, 405, "METHOD_NOT_ALLOWED")
    assert "POST" in answer.headers["Allow"]


def test_a_missing_credential_is_401(client: CookieClient) -> None:
    check(client.get("/api/auth/me"), 401, "UNAUTHORIZED")
    check(client.get("/api/auth/me", headers={"Authorization": "Bearer nonsense"}), 401, "UNAUTHORIZED")


def test_broken_json_is_400_and_says_where(admin_client: CookieClient) -> None:
    content = check(admin_client.post("/api/tokens", data=b'{"name": ', headers=JSON), 400, "BAD_REQUEST")
    assert fields(content) == [("body", "json_invalid")]
    assert "line 1" in content["errors"][0]["message"]
    for text in (b'{"name": NaN}', b"\xff\xfe", b'{"name": "\\ud800"}', b"[" * 100_000):
        check(admin_client.post("/api/tokens", data=text, headers=JSON), 400, "BAD_REQUEST")


def test_a_body_that_is_not_json_is_415(admin_client: CookieClient) -> None:
    check(admin_client.post("/api/tokens", data={"name": "x"}), 415, "UNSUPPORTED_MEDIA_TYPE")
    check(admin_client.post("/api/tokens"), 415, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"name": "x"}, ("scopes", "missing")),
        ({"name": 7, "scopes": ["read"]}, ("name", "string_type")),
        ({"name": "x", "scopes": ["read"], "extra": 1}, ("extra", "extra_forbidden")),
        ({"name": "x", "scopes": ["read", "root"]}, ("scopes.1", "enum")),
        ({"name": "x", "scopes": "read"}, ("scopes", "list_type")),
        (
            {"name": "x", "scopes": ["read"], "expires_at": "2030-01-01T00:00:00"},
            ("expires_at", "timezone_aware"),
        ),
        (
            {"name": "x", "scopes": ["read"], "expires_at": "2020-01-01T00:00:00Z"},
            ("expires_at", "in_the_past"),
        ),
        ({"name": "a\x00b", "scopes": ["read"]}, ("name", "null_character")),
        ([], ("body", "model_type")),
        (None, ("body", "model_type")),
    ],
)
def test_a_wrong_field_is_422_and_named_and_nothing_is_stored(
    admin_client: CookieClient, body: Any, expected: tuple[str, str]
) -> None:
    from sqlalchemy import func, select

    from vabhub.db import reading

    answer = admin_client.post("/api/tokens", data=json.dumps(body), headers=JSON)
    assert expected in fields(check(answer, 422, "VALIDATION_ERROR"))
    with reading() as session:
        assert session.scalar(select(func.count()).select_from(ApiToken)) == 0


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("hours=0", "hours"),
        ("hours=8761", "hours"),
        ("hours=x", "hours"),
        ("hours=1&hours=2", "hours"),
        ("interval_minutes=1441", "interval_minutes"),
        ("days=1", "days"),
        ("hours=%00", "hours"),
    ],
)
def test_a_wrong_query_is_422_and_named(admin_client: CookieClient, query: str, field: str) -> None:
    answer = admin_client.get(f"/api/dashboard/system-resources-history?{query}")
    assert fields(check(answer, 422, "VALIDATION_ERROR"))[0][0] == field


def test_a_write_without_a_declared_query_refuses_one(admin_client: CookieClient) -> None:
    answer = admin_client.delete("/api/tokens/1?category=x")
    assert fields(check(answer, 422, "VALIDATION_ERROR")) == [("category", "extra_forbidden")]


def test_a_body_over_one_megabyte_is_413(client: CookieClient) -> None:
    body = b'{"username": "' + b"x" * LARGEST_BODY_BYTES + b'"}'
    check(client.post("/api/auth/login", data=body, headers=JSON), 413, "PAYLOAD_TOO_LARGE")
    check(client.get("/api/auth/me", data=body, headers=JSON), 413, "PAYLOAD_TOO_LARGE")


def test_a_chunked_body_over_one_megabyte_is_413(client: CookieClient) -> None:
    from io import BytesIO

    answer = client.open(
        "/api/auth/login",
        method="POST",
        headers={**JSON, "Transfer-Encoding": "chunked"},
        environ_overrides={
            "wsgi.input": BytesIO(b"x" * (LARGEST_BODY_BYTES + 1)),
            "wsgi.input_terminated": True,
            "CONTENT_LENGTH": "",
        },
    )
    check(answer, 413, "PAYLOAD_TOO_LARGE")


def test_an_unexpected_error_is_500_with_a_request_id_and_nothing_else(
    broken: Flask, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = broken.test_client().get("/api/fail/RuntimeError")
    content = check(answer, 500, "INTERNAL_SERVER_ERROR")
    assert content["details"] == {"request_id": answer.headers["X-Request-ID"]}
    assert "12345" not in answer.text


def test_unavailable_and_rate_limited_say_when_to_come_back(broken: Flask) -> None:
    client = broken.test_client()
    answer = client.get("/api/fail/Unavailable")
    check(answer, 503, "UNAVAILABLE")
    assert answer.headers["Retry-After"] == "8"
    answer = client.get("/api/fail/RateLimited")
    check(answer, 429, "RATE_LIMITED")
    assert answer.headers["Retry-After"] == "1"
    check(client.get("/api/fail/ConnectionError"), 503, "UNAVAILABLE")


def test_a_database_that_is_gone_is_503(app: Flask, client: CookieClient, admin: object, sqlite: Any) -> None:
    from vabhub import db

    db.dispose()
    (sqlite.data_dir / "vabhub.db").unlink()
    (sqlite.data_dir / "vabhub.db").mkdir()
    answer = client.get("/api/auth/me", headers={"X-Api-Key": "vabhub_x"})
    check(answer, 503, "UNAVAILABLE")
    assert int(answer.headers["Retry-After"]) >= 1


def test_a_person_gets_a_page_for_an_error(client: CookieClient) -> None:
    answer = client.get("/nothing", headers={"Accept": "text/html"})
    assert (answer.status_code, answer.mimetype) == (404, "text/html")


def test_every_answer_carries_the_security_headers(client: CookieClient) -> None:
    for path in ("/api/nothing", "/login", "/healthz"):
        headers = client.get(path).headers
        policy = headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
        assert "connect-src 'self' ws://localhost;" in policy
        assert "unsafe" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["X-Request-ID"]


def test_a_strange_host_never_gets_into_the_policy(client: CookieClient) -> None:
    policy = client.get("/healthz", headers={"Host": "evil.example; script-src *"}).headers[
        "Content-Security-Policy"
    ]
    assert "evil" not in policy


def test_a_request_id_from_outside_is_kept_when_it_is_harmless(client: CookieClient) -> None:
    assert (
        client.get("/healthz", headers={"X-Request-ID": "abc-12345"}).headers["X-Request-ID"] == "abc-12345"
    )
    assert client.get("/healthz", headers={"X-Request-ID": "a b"}).headers["X-Request-ID"] != "a b"


def test_ready_names_what_is_missing(app: Flask, client: CookieClient, tmp_path: Any) -> None:
    from vabhub import migrate

    assert client.get("/readyz").status_code == 200
    redis_client.close()
    own = RedisServer(tmp_path / "own")
    own.start()
    before = get_settings()
    use_settings(before.model_copy(update={"redis_url": own.url}))
    assert client.get("/readyz").status_code == 200
    own.remove()
    migrate.downgrade("base")
    content = check(client.get("/readyz"), 503, "UNAVAILABLE")
    assert set(content["details"]["missing"]) == {"redis", "migrations"}
    assert client.get("/healthz").status_code == 200
    redis_client.close()
    use_settings(before)


def test_metrics_are_for_this_machine_or_a_token(client: CookieClient, token: Any) -> None:
    far = {"REMOTE_ADDR": "192.0.2.7"}
    assert "vabhub_http_requests_total" in client.get("/metrics").text
    assert client.get("/metrics", environ_overrides=far).status_code == 401
    assert client.get("/metrics", headers={"X-Forwarded-For": "127.0.0.1"}).status_code == 401
    assert client.get("/metrics", environ_overrides=far, headers=token("read")).status_code == 200
    assert client.get("/metrics", environ_overrides=far, headers=token("notify")).status_code == 403
