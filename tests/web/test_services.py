"""Services over REST: set up, tried for real, changed, switched off, removed; no secret comes back."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from tests.contracts.downloads.fakes import FakeAria2, FakeQBittorrent, FakeSabnzbd, FakeTransmission
from tests.support.ports import free_port
from tests.support.scripted_http import answer, scripted_http
from tests.web.conftest import CookieClient
from vabhub.collectors.downloads import credentials, exchange, forget_collectors, read_all, snapshot_of
from vabhub.collectors.downloads.refresh import Hurry
from vabhub.collectors.services import configured
from vabhub.db import reading
from vabhub.models import Service
from vabhub.settings import Settings, use_settings

SECRET = "a secret"
PATH = "/api/services"


@pytest.fixture(autouse=True)
def _fresh_memory(redis: None) -> Iterator[None]:
    credentials._refused.clear()
    yield
    credentials._refused.clear()
    forget_collectors()


@pytest.fixture
def headers(token: Callable[..., dict[str, str]]) -> dict[str, str]:
    """An administrator's token."""
    return token("admin")


@pytest.fixture
def call(client: CookieClient, headers: dict[str, str]) -> Callable[..., Any]:
    """Calls the API; returns the status and the answer."""

    def send(method: str, path: str = "", **body: Any) -> tuple[int, Any]:
        json = {"json": body} if method != "GET" else {}
        found = client.open(f"{PATH}{path}", method=method, headers=headers, **json)
        assert SECRET not in found.text
        return found.status_code, found.get_json()

    return send


def _names(settings: Settings) -> list[str]:
    return [config.name for config in configured(settings)]


def test_a_service_is_added_read_changed_switched_off_and_removed(
    sqlite: Settings, call: Callable[..., Any]
) -> None:
    hurry = Hurry()
    with scripted_http(FakeAria2().script) as (url, _):
        body = {"name": "attic", "kind": "aria2", "settings": {"url": url, "secret": SECRET}}
        status, made = call("POST", **body)
        assert (status, made["data"]["settings"]) == (
            201,
            {"url": f"{url}/", "secret": "***", "verify_tls": True},
        )
        assert hurry.is_due()
        snapshot = snapshot_of(read_all(configured(sqlite)))
        assert snapshot.status == "ok" and snapshot.data is not None
        assert [item["instance"] for item in snapshot.data["items"]] == ["attic"]
        assert call("POST", **body)[0] == 409
        kept = {"url": url, "secret": "***"}
        assert call("PATCH", "/attic", settings=kept)[0] == 200
        assert call("POST", "/attic/test")[1]["data"]["ok"] is True
        assert call("PATCH", "/attic", enabled=False)[0] == 200
        assert _names(sqlite) == []
        assert call("GET", "/attic")[1]["data"]["enabled"] is False
        assert call("DELETE", "/attic")[0] == 200
        assert call("GET", "/attic")[0] == 404


def test_a_secret_stays_with_the_server_it_was_given_for(call: Callable[..., Any]) -> None:
    stored = {"url": "http://nas:8080", "api_key": SECRET}
    assert call("POST", name="usenet", kind="sabnzbd", settings=stored)[0] == 201
    for changes in ({"url": "http://elsewhere:8080"}, {"url": "http://nas:8080", "verify_tls": False}):
        for given in (changes, {**changes, "api_key": "***"}):
            for method, path in (("PATCH", "/usenet"), ("POST", "/usenet/test")):
                status, refused = call(method, path, settings=given)
                assert (status, refused["errors"][0]["field"]) == (422, "settings.api_key")
    assert call("PATCH", "/usenet", settings={"url": "http://nas:8080/sabnzbd"})[0] == 200
    assert call("PATCH", "/usenet", settings={"url": "http://elsewhere", "api_key": "given anew"})[0] == 200


@pytest.mark.parametrize("url", ["http://user:pw@nas:8080", "http://nas:8080/?apikey=abc"])
def test_an_address_carries_no_secret(call: Callable[..., Any], url: str) -> None:
    status, refused = call("POST", name="x", kind="aria2", settings={"url": url})
    assert (status, refused["errors"][0]["field"]) == (422, "settings.url")


def test_settings_lie_sealed_in_the_database(call: Callable[..., Any]) -> None:
    settings = {"url": "http://nas:8080", "api_key": SECRET}
    assert call("POST", name="usenet", kind="sabnzbd", settings=settings)[0] == 201
    with reading() as session:
        (row,) = session.scalars(select(Service))
    assert SECRET not in row.sealed_settings and "nas" not in row.sealed_settings


def test_several_of_one_kind_stand_beside_that_of_the_environment(
    sqlite: Settings, call: Callable[..., Any], app: Flask
) -> None:
    ours = {"transmission_url": "http://user:pw@nas:9091", "transmission_password": SECRET}
    use_settings(chosen := sqlite.model_copy(update=ours))
    for name in ("cellar", "attic"):
        assert call("POST", name=name, kind="transmission", settings={"url": f"http://{name}:9091"})[0] == 201
    assert _names(chosen) == ["transmission", "attic", "cellar"]
    listed = {one["name"]: one for one in call("GET")[1]["data"]}
    assert {name: one["source"] for name, one in listed.items()} == {
        "attic": "page",
        "cellar": "page",
        "transmission": "environment",
    }
    assert listed["transmission"]["settings"] == {"url": "http://nas:9091", "password": "***"}
    assert call("PATCH", "/transmission", enabled=False)[0] == 409
    assert call("DELETE", "/transmission")[0] == 409
    assert call("POST", name="transmission", kind="aria2", settings={"url": "http://x"})[0] == 409


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "a b", "kind": "aria2", "settings": {"url": "http://x"}}, "name"),
        ({"name": "kinds", "kind": "aria2", "settings": {"url": "http://x"}}, "name"),
        ({"name": "a", "kind": "gopher", "settings": {"url": "http://x"}}, "kind"),
        ({"name": "a", "kind": "aria2", "settings": {}}, "settings.url"),
        ({"name": "a", "kind": "aria2", "settings": {"url": "ftp://x"}}, "settings.url"),
        ({"name": "a", "kind": "aria2", "settings": {"url": "http://x", "nonsense": 1}}, "settings.nonsense"),
        ({"name": "a", "kind": "sabnzbd", "settings": {"url": "http://x"}}, "settings.api_key"),
        ({"name": "a", "kind": "aria2", "settings": {"url": "http://x", "secret": "***"}}, "settings.secret"),
        ({"name": "a", "kind": "aria2", "settings": {"url": "http://169.254.169.254/"}}, "settings.url"),
    ],
)
def test_a_wrong_field_is_named(call: Callable[..., Any], body: dict[str, Any], field: str) -> None:
    status, said = call("POST", **body)
    assert status == 422
    assert [fault["field"] for fault in said["errors"]] == [field]


def test_only_an_administrator_may_change(token: Callable[..., dict[str, str]], client: CookieClient) -> None:
    for method, path in (("POST", ""), ("PATCH", "/x"), ("DELETE", "/x"), ("POST", "/x/test")):
        refused = client.open(f"{PATH}{path}", method=method, json={}, headers=token("read", "control"))
        assert refused.status_code == 403, path


def _try(call: Callable[..., Any], kind: str, url: str, **more: str) -> dict[str, Any]:
    status, said = call("POST", "/-/test", kind=kind, settings={"url": url, **more})
    assert status == 200, said
    found: dict[str, Any] = said["data"]
    return found


def test_a_try_tells_the_version_and_how_long_it_took(call: Callable[..., Any]) -> None:
    with scripted_http(FakeSabnzbd(version="4.3.2").script) as (url, _):
        said = _try(call, "sabnzbd", url, api_key=SECRET)
    assert (said["ok"], said["version"], said["error_code"]) == (True, "4.3.2", None)
    assert said["latency_ms"] > 0


def test_each_reason_has_its_name(call: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "READ_TIMEOUT_S", 0.2)
    login = {"username": "u", "password": SECRET}
    fake = FakeTransmission()
    scripts = {
        "CREDENTIALS": fake.refusal(),
        "BANNED": fake.ban(),
        "VERSION": fake.unknown_method(),
        "WRONG_PATH": lambda _path: answer(404),
        "WRONG_SERVICE": lambda _path: answer(302, Location="/login"),
    }
    for code, script in scripts.items():
        with scripted_http(script) as (url, _):
            said = _try(call, "transmission", url, **login)
            assert (said["ok"], said["error_code"], said["version"]) == (False, code, None)
            assert said["error"]
    with scripted_http(fake.script) as (url, _):
        assert _try(call, "transmission", url.replace("http:", "https:"), **login)["error_code"] == "TLS"
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        assert _try(call, "transmission", url, **login)["error_code"] == "TIMEOUT"
    assert _try(call, "transmission", f"http://127.0.0.1:{free_port()}")["error_code"] == "REFUSED"
    assert _try(call, "transmission", "http://no-such-host.invalid:9091")["error_code"] == "DNS"


def test_a_password_that_was_mended_in_the_client_is_used_again_after_a_try(
    sqlite: Settings, call: Callable[..., Any]
) -> None:
    fake, state = FakeQBittorrent(), {"refuses": True}

    def script(path: str) -> Any:
        return fake.refusal()(path) if state["refuses"] else fake.script(path)

    with scripted_http(script) as (url, asked):
        settings = {"url": url, "username": "u", "password": SECRET}
        assert call("POST", name="q", kind="qbittorrent", settings=settings)[0] == 201
        for _ in range(3):
            assert snapshot_of(read_all(configured(sqlite))).error_code == "CREDENTIALS"
        assert call("POST", "/q/test")[1]["data"]["error_code"] == "CREDENTIALS"
        assert sum(path.endswith("/login") for path in asked) == 2  # once by itself, once by a person
        state["refuses"] = False
        hurry = Hurry()
        assert call("POST", "/q/test")[1]["data"]["ok"] is True
        assert hurry.is_due() and hurry.wakes
        forget_collectors()
        assert snapshot_of(read_all(configured(sqlite))).status == "ok"
