"""Every route says who may call it, and the guard holds it to that."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask import Flask

from tests.web.conftest import CookieClient
from vabhub.accounts import Scope
from web.endpoint import Access, access_of

# The contract's list, and what a browser needs before it can sign in.
OPEN = {
    "/healthz",
    "/health",
    "/readyz",
    "/login",
    "/sw.js",
    "/static/v-<asked_version>/<path:name>",
    "/api/auth/login",
}
UNTIL_FIRST_ACCOUNT = {"/setup", "/api/auth/setup"}
CHECKS_FOR_ITSELF = {"/metrics", "/api/ws", "/api/ws/ws"}


def routes(app: Flask) -> list[tuple[str, str, Access | Scope | None]]:
    found = []
    for rule in app.url_map.iter_rules():
        access = access_of(app.view_functions[rule.endpoint])
        path = re.sub(r"<id:\w+>", "1", rule.rule)
        path = re.sub(r"<[^>]+>", "x", path)
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            found.append((method, path if access not in Access else rule.rule, access))
    return found


def test_every_route_declares_who_may_call_it(app: Flask) -> None:
    undeclared = [
        rule.rule for rule in app.url_map.iter_rules() if not access_of(app.view_functions[rule.endpoint])
    ]
    assert undeclared == []


@pytest.mark.parametrize(
    ("access", "expected"),
    [(Access.OPEN, OPEN), (Access.SETUP, UNTIL_FIRST_ACCOUNT), (Access.OWN, CHECKS_FOR_ITSELF)],
)
def test_only_the_named_routes_are_open(app: Flask, access: Access, expected: set[str]) -> None:
    rules = {
        rule.rule
        for rule in app.url_map.iter_rules()
        if access_of(app.view_functions[rule.endpoint]) is access
    }
    assert rules == expected


def test_every_other_route_refuses_a_stranger(app: Flask, client: CookieClient, admin: object) -> None:
    for method, path, access in routes(app):
        if access not in (Access.OPEN, Access.SETUP, Access.OWN):
            answer = client.open(path, method=method, headers={"Accept": "application/json"})
            assert answer.status_code == 401, (method, path, answer.status_code)
            assert answer.get_json()["error_code"] == "UNAUTHORIZED"


def test_every_scope_is_asked_for(
    app: Flask, client: CookieClient, token: Callable[..., dict[str, str]]
) -> None:
    others = {scope: token(*(set(Scope) - {scope, Scope.ADMIN})) for scope in Scope}
    for method, path, access in routes(app):
        if isinstance(access, Scope):
            answer = client.open(path, method=method, headers=others[access])
            assert answer.status_code == 403, (method, path, answer.status_code)


def test_an_undeclared_route_is_refused_even_to_the_administrator(
    app: Flask, admin_client: CookieClient
) -> None:
    app.view_functions["forgotten"] = lambda: "secret"
    app.url_map._remap = True
    from werkzeug.routing import Rule

    app.url_map.add(Rule("/api/forgotten", endpoint="forgotten", methods=["GET"]))
    assert admin_client.get("/api/forgotten").status_code == 403


def test_the_socket_refuses_a_stranger_by_itself(app: Flask, client: CookieClient) -> None:
    assert client.get("/api/ws/ws").status_code == 400  # no handshake: it never gets to be a socket


def test_a_page_leads_a_stranger_to_the_first_start_and_later_to_the_sign_in(
    app: Flask, client: CookieClient, request: pytest.FixtureRequest
) -> None:
    browser = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    assert client.get("/", headers=browser).headers["Location"] == "/setup"
    request.getfixturevalue("admin")
    assert client.get("/", headers=browser).headers["Location"] == "/login"
    assert client.get("/").headers["Location"] == "/login"
    assert client.get("/", headers={"Accept": "application/json"}).status_code == 401
