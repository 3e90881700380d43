"""The socket in the real application: real accounts, sessions and tokens, and their end."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import InvalidStatus

from tests.live.server import WebServer, running
from tests.support.redis import RedisServer
from vabhub.events import bus
from vabhub.events.topics import Topic
from vabhub.settings import Settings

ACCOUNT = {"username": "admin", "password": "correct horse battery"}


@pytest.fixture
def server(tmp_path: Path, sqlite: Settings, redis: None, redis_server: RedisServer) -> Iterator[WebServer]:
    env = {"VABHUB_ADMIN_USER": ACCOUNT["username"], "VABHUB_ADMIN_PASSWORD": ACCOUNT["password"]}
    with running(tmp_path, redis_server.url, app="web:create_app()", **env) as server:
        yield server


@pytest.fixture
def browser(server: WebServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url) as client:
        assert client.post("/api/auth/login", json=ACCOUNT).is_success
        client.headers["X-CSRF-Token"] = client.get("/api/auth/me").json()["data"]["csrf_token"]
        yield client


def cookie_of(browser: httpx.Client) -> dict[str, str]:
    return {"Cookie": f"vabhub_session={browser.cookies['vabhub_session']}"}


def new_token(browser: httpx.Client, *scopes: str) -> dict[str, object]:
    answer = browser.post("/api/tokens", json={"name": "-".join(scopes), "scopes": list(scopes)})
    assert answer.is_success, answer.text
    data: dict[str, object] = answer.json()["data"]
    return data


def test_signing_out_closes_the_socket_within_5_s(server: WebServer, browser: httpx.Client) -> None:
    bus.publish(Topic.SYSTEM, {"cpu_usage": 3})
    with server.connect(token=None, additional_headers=cookie_of(browser), origin=server.url) as client:
        client.send({"type": "subscribe", "topics": ["system"]})
        assert client.until("system_update")["data"]["cpu_usage"] == 3
        began = time.monotonic()
        assert browser.post("/api/auth/logout").is_success
        assert client.until("error")["code"] == "UNAUTHORIZED"
        assert client.close_code() == 4401
        assert time.monotonic() - began < 5


def test_foreign_origin_with_the_cookie_is_403_in_the_shape_of_errors(
    server: WebServer, browser: httpx.Client
) -> None:
    with pytest.raises(InvalidStatus) as refusal:
        server.connect(token=None, additional_headers=cookie_of(browser), origin="https://evil.example")
    response = refusal.value.response
    assert response.status_code == 403
    assert b'"error_code":"FORBIDDEN"' in (response.body or b"").replace(b" ", b"")


def test_token_by_header_query_and_message(server: WebServer, browser: httpx.Client) -> None:
    token = str(new_token(browser, "read")["token"])
    for path, given in (("/api/ws/ws", token), (f"/api/ws?token={token}", None), ("/api/ws", None)):
        with server.connect(path, token=given) as client:
            if given is None and "?" not in path:
                assert client.ask({"type": "auth", "token": token})["type"] == "authenticated"
            assert client.ask({"type": "subscribe", "topics": ["api_performance"]})["type"] == "subscribed"


def test_revoked_token_closes_its_socket_only(server: WebServer, browser: httpx.Client) -> None:
    made = new_token(browser, "read")
    with (
        server.connect(token=str(made["token"])) as client,
        server.connect(token=None, additional_headers=cookie_of(browser)) as other,
    ):
        client.ask({"type": "ping"})
        assert browser.delete(f"/api/tokens/{made['id']}").is_success
        assert client.until("error")["code"] == "UNAUTHORIZED"
        assert client.close_code() == 4401
        assert other.ask({"type": "ping"})["type"] == "pong"


def test_stranger_and_plain_http_are_refused(server: WebServer) -> None:
    with server.connect(token="vh_wrong") as client:
        assert client.receive()["code"] == "UNAUTHORIZED"
        assert client.close_code() == 4401
    assert httpx.get(f"{server.url}/api/ws/ws").status_code in (400, 426)


def test_notification_reaches_the_socket(server: WebServer, browser: httpx.Client) -> None:
    with server.connect(token=None, additional_headers=cookie_of(browser)) as client:
        client.send({"type": "subscribe", "topics": ["notifications"]})
        client.until("subscribed")
        answer = browser.post("/api/notifications", json={"title": "Hello", "message": "there"})
        assert answer.status_code == 201, answer.text
        pushed = client.until("notification_update")
        assert pushed["data"]["notification"]["title"] == "Hello"
        assert pushed["data"]["event"] == "created"
