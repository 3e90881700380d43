"""Signing in and out, the first account, tokens, and the limits on guessing."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from tests.support.redis import RedisServer
from tests.web.conftest import ADMIN, CookieClient, sign_in
from vabhub import accounts, clock, redis_client
from vabhub.db import reading, transaction
from vabhub.errors import Conflict
from vabhub.models.account import ApiToken, LoginSession, User
from vabhub.settings import Settings
from web import auth, create_app
from web.login_limits import PER_ADDRESS, PER_NAME

FIRST = {"username": "olga", "password": "long enough"}


def try_login(client: CookieClient, username: str, password: str, address: str = "127.0.0.1") -> Any:
    body = {"username": username, "password": password}
    return client.post("/api/auth/login", json=body, environ_overrides={"REMOTE_ADDR": address})


def test_the_first_account_is_the_administrator_and_signed_in(client: CookieClient) -> None:
    answer = client.post("/api/auth/setup", json=FIRST)
    assert answer.status_code == 201
    assert answer.get_json()["data"]["scopes"] == ["admin", "control", "notify", "read"]
    assert client.get("/api/auth/me").get_json()["data"]["username"] == "olga"


def test_a_second_first_account_is_refused(client: CookieClient) -> None:
    client.post("/api/auth/setup", json=FIRST)
    answer = client.post("/api/auth/setup", json={**FIRST, "username": "eve"})
    assert (answer.status_code, answer.get_json()["error_code"]) == (409, "CONFLICT")


def test_a_short_password_is_refused(client: CookieClient) -> None:
    answer = client.post("/api/auth/setup", json={**FIRST, "password": "1234567"})
    assert answer.status_code == 422
    assert answer.get_json()["errors"][0]["field"] == "password"


def test_of_many_first_accounts_at_once_one_wins(app: Flask) -> None:
    def set_up(number: int) -> int:
        return (
            app.test_client().post("/api/auth/setup", json={**FIRST, "username": f"user{number}"}).status_code
        )

    with ThreadPoolExecutor(8) as pool:
        codes = sorted(pool.map(set_up, range(8)))
    assert codes == [201] + [409] * 7


def test_of_two_first_accounts_at_once_one_wins_on_every_database(database: Settings) -> None:
    def create(number: int) -> bool:
        try:
            with transaction() as session:
                accounts.create_first_admin(session, f"user{number}", "long enough")
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(create, range(4))) == [False, False, False, True]
    with reading() as session:
        assert session.scalar(select(func.count()).select_from(User)) == 1


def test_the_settings_can_name_the_first_account(sqlite: Settings, redis: None) -> None:
    named = sqlite.model_copy(update={"admin_user": "root", "admin_password": "from the environment"})
    app = create_app(named)
    assert sign_in(app, ("root", "from the environment")).get("/api/auth/me").status_code == 200
    other = named.model_copy(update={"admin_user": "later"})
    assert accounts.ensure_admin(other) is False


def test_signing_in_sets_a_cookie_that_scripts_cannot_read(
    client: CookieClient, admin: tuple[str, str]
) -> None:
    cookie = try_login(client, *admin).headers["Set-Cookie"]
    assert cookie.startswith("vabhub_session=")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Secure" not in cookie


def test_the_cookie_is_secure_behind_tls(client: CookieClient, admin: tuple[str, str]) -> None:
    body = {"username": admin[0], "password": admin[1]}
    answer = client.post("/api/auth/login", json=body, base_url="https://hub.example")
    assert "Secure" in answer.headers["Set-Cookie"]


def test_forwarded_headers_count_only_behind_a_trusted_proxy(sqlite: Settings, redis: None) -> None:
    def cookie(trusted: int, name: str) -> str:
        app = create_app(sqlite.model_copy(update={"trusted_proxies": trusted}))
        with app.app_context(), transaction() as session:
            user = User(username=name, password_hash=accounts._hasher.hash("p"), created_at=clock.utcnow())
            session.add(user)
        body, headers = {"username": name, "password": "p"}, {"X-Forwarded-Proto": "https"}
        return str(
            app.test_client().post("/api/auth/login", json=body, headers=headers).headers["Set-Cookie"]
        )

    assert "Secure" not in cookie(0, "a")
    assert "Secure" in cookie(1, "b")


@pytest.mark.parametrize(("username", "password"), [("admin", "wrong"), ("nobody", "wrong")])
def test_a_wrong_name_or_password_is_401_and_does_not_say_which(
    client: CookieClient, admin: object, username: str, password: str
) -> None:
    answer = try_login(client, username, password)
    assert answer.status_code == 401
    assert answer.get_json()["error_message"] == "The user name or the password is wrong."
    assert "Set-Cookie" not in answer.headers


def test_only_hashes_are_stored(app: Flask, admin_client: CookieClient) -> None:
    secret = admin_client.post("/api/tokens", json={"name": "x", "scopes": ["read"]}).get_json()["data"][
        "token"
    ]
    cookie = admin_client.get_cookie("vabhub_session")
    assert cookie is not None
    assert secret.startswith("vabhub_")
    with reading() as session:
        assert session.scalars(select(ApiToken.token_hash)).one() == accounts.digest(secret)
        assert session.scalars(select(LoginSession.token_hash)).one() == accounts.digest(cookie.value)
        assert session.scalars(select(User.password_hash)).one().startswith("$argon2id$")


def test_signing_out_ends_the_session_on_the_server(app: Flask, admin_client: CookieClient) -> None:
    cookie = admin_client.get_cookie("vabhub_session")
    assert cookie is not None
    assert admin_client.post("/api/auth/logout").status_code == 200
    stolen = app.test_client()
    stolen.set_cookie("vabhub_session", cookie.value)
    assert stolen.get("/api/auth/me").status_code == 401


def test_a_session_ends_by_itself(admin_client: CookieClient) -> None:
    later = datetime.now(UTC) + timedelta(days=31)
    assert admin_client.get("/api/auth/me").status_code == 200
    with clock.frozen(lambda: later):
        assert admin_client.get("/api/auth/me").status_code == 401


def test_a_write_with_the_cookie_needs_the_csrf_header(admin_client: CookieClient) -> None:
    body = {"name": "x", "scopes": ["read"]}
    right, admin_client.csrf_token = admin_client.csrf_token, None
    assert admin_client.get("/api/tokens").status_code == 200
    assert admin_client.post("/api/tokens", json=body).status_code == 403
    assert admin_client.post("/api/tokens", json=body, headers={"X-CSRF-Token": "wrong"}).status_code == 403
    assert admin_client.post("/api/tokens", json=body, headers={"X-CSRF-Token": "\xe9"}).status_code == 403
    assert (
        admin_client.post("/api/tokens", json=body, headers={"X-CSRF-Token": right or ""}).status_code == 201
    )


def test_a_form_may_carry_the_csrf_token_in_a_field(admin_client: CookieClient) -> None:
    right, admin_client.csrf_token = admin_client.csrf_token, None
    assert admin_client.post("/logout").status_code == 403
    assert admin_client.post("/logout", data={"csrf_token": right}).status_code == 303


def test_a_sign_in_sent_by_another_site_is_refused(client: CookieClient, admin: tuple[str, str]) -> None:
    form = {"username": admin[0], "password": admin[1]}
    assert client.post("/login", data=form, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403


def test_a_token_needs_no_csrf_header_and_only_its_scope(
    client: CookieClient, token: Callable[..., dict[str, str]]
) -> None:
    assert client.get("/api/tokens", headers=token("admin")).status_code == 200
    assert client.get("/api/tokens", headers=token("read")).status_code == 403
    assert client.get("/api/library/scans", headers=token("read")).status_code == 200
    assert client.get("/api/library/scans", headers=token("notify", "control")).status_code == 403
    key = token("read")["Authorization"].removeprefix("Bearer ")
    assert client.get("/api/library/scans", headers={"X-Api-Key": key}).status_code == 200


def test_a_wrong_token_is_nobody_even_beside_a_good_cookie(admin_client: CookieClient) -> None:
    assert admin_client.get("/api/auth/me", headers={"Authorization": "Bearer vabhub_x"}).status_code == 401


def test_a_token_in_the_address_counts_for_the_socket_only(
    app: Flask, client: CookieClient, token: Callable[..., dict[str, str]]
) -> None:
    secret = token("read")["Authorization"].removeprefix("Bearer ")
    assert client.get(f"/api/auth/me?token={secret}").status_code == 401
    principal = auth.authenticate_environ({"QUERY_STRING": f"token={secret}"})
    assert principal is not None
    assert principal.kind == "token"


def test_a_token_is_shown_once_listed_and_revoked(admin_client: CookieClient, client: CookieClient) -> None:
    made = admin_client.post("/api/tokens", json={"name": "script", "scopes": ["read"]}).get_json()["data"]
    header = {"X-Api-Key": made["token"]}
    assert client.get("/api/auth/me", headers=header).status_code == 200
    listed = admin_client.get("/api/tokens").get_json()["data"]
    assert [row["name"] for row in listed] == ["script"]
    assert "token" not in listed[0]
    assert listed[0]["last_used_at"] is not None
    assert admin_client.delete(f"/api/tokens/{made['id']}").status_code == 200
    assert client.get("/api/auth/me", headers=header).status_code == 401
    assert admin_client.delete(f"/api/tokens/{made['id']}").status_code == 404


def test_a_token_name_is_used_once_and_free_again_when_revoked(admin_client: CookieClient) -> None:
    body = {"name": "script", "scopes": ["read"]}
    made = admin_client.post("/api/tokens", json=body).get_json()["data"]
    assert admin_client.post("/api/tokens", json=body).status_code == 409
    admin_client.delete(f"/api/tokens/{made['id']}")
    assert admin_client.post("/api/tokens", json=body).status_code == 201


def test_an_expired_token_is_refused(admin_client: CookieClient, client: CookieClient) -> None:
    soon = datetime.now(UTC) + timedelta(hours=1)
    body = {"name": "x", "scopes": ["read"], "expires_at": soon.isoformat()}
    secret = admin_client.post("/api/tokens", json=body).get_json()["data"]["token"]
    assert client.get("/api/auth/me", headers={"X-Api-Key": secret}).status_code == 200
    with clock.frozen(lambda: soon + timedelta(seconds=1)):
        assert client.get("/api/auth/me", headers={"X-Api-Key": secret}).status_code == 401


def test_odd_cookies_of_other_programs_do_not_sign_anybody_out(
    app: Flask, admin_client: CookieClient
) -> None:
    others = 'theme={"dark":true}; a b; =x; caf\xe9=1'
    header = {"Cookie": f"{others}; vabhub_session={_cookie(admin_client)}; last"}
    assert app.test_client(use_cookies=False).get("/api/auth/me", headers=header).status_code == 200


def test_a_revoked_credential_is_not_current_any_more(app: Flask, admin_client: CookieClient) -> None:
    with app.test_request_context(headers={"Cookie": f"vabhub_session={_cookie(admin_client)}"}):
        principal = auth.current()
    assert auth.is_current(principal)
    admin_client.post("/api/auth/logout")
    assert not auth.is_current(principal)


def test_changing_the_password_ends_the_other_sessions(app: Flask, admin_client: CookieClient) -> None:
    other = sign_in(app, ADMIN)
    body = {"current_password": ADMIN[1], "new_password": "another good one"}
    assert admin_client.post("/api/auth/password", json=body).status_code == 200
    assert admin_client.get("/api/auth/me").status_code == 200
    assert other.get("/api/auth/me").status_code == 401
    assert try_login(other, *ADMIN).status_code == 401
    assert try_login(other, ADMIN[0], "another good one").status_code == 200


def test_changing_the_password_needs_the_present_one_and_a_person(
    admin_client: CookieClient, client: CookieClient, token: Callable[..., dict[str, str]]
) -> None:
    body = {"current_password": "wrong", "new_password": "another good one"}
    assert admin_client.post("/api/auth/password", json=body).status_code == 401
    assert client.post("/api/auth/password", json=body, headers=token("admin")).status_code == 403


def test_guesses_at_one_name_are_limited_with_a_time_to_wait(
    client: CookieClient, admin: tuple[str, str]
) -> None:
    for _ in range(PER_NAME.amount):
        assert try_login(client, "admin", "wrong").status_code == 401
    answer = try_login(client, *admin)
    assert (answer.status_code, answer.get_json()["error_code"]) == (429, "RATE_LIMITED")
    assert 1 <= int(answer.headers["Retry-After"]) <= 300
    assert try_login(client, *admin, address="192.0.2.9").status_code == 200


def test_a_right_password_forgets_the_wrong_ones(client: CookieClient, admin: tuple[str, str]) -> None:
    for _ in range(3):
        for _ in range(PER_NAME.amount - 1):
            assert try_login(client, "admin", "wrong").status_code == 401
        assert try_login(client, *admin).status_code == 200


def test_guesses_from_one_address_are_limited_over_all_names(app: Flask, admin: object) -> None:
    from web.login_limits import login_limits

    with app.app_context():
        for number in range(PER_ADDRESS.amount):
            login_limits().begin(f"name{number}", "192.0.2.1")
    client: Any = app.test_client()
    assert try_login(client, "admin", "wrong", address="192.0.2.1").status_code == 429
    assert try_login(client, "admin", "wrong", address="192.0.2.2").status_code == 401


def test_guesses_are_limited_without_redis_too(sqlite: Settings, tmp_path: Path) -> None:
    own = RedisServer(tmp_path / "own")
    own.start()
    redis_client.close()
    app = create_app(sqlite.model_copy(update={"redis_url": own.url}))
    own.remove()
    client: Any = app.test_client()
    codes = [try_login(client, "admin", "wrong").status_code for _ in range(PER_NAME.amount + 1)]
    assert codes == [401] * PER_NAME.amount + [429]


def test_the_time_of_last_use_is_written_once_a_minute(
    client: CookieClient, token: Callable[..., dict[str, str]]
) -> None:
    header = token("read")

    def used_at() -> datetime | None:
        client.get("/api/auth/me", headers=header)
        with reading() as session:
            return session.scalars(select(ApiToken.last_used_at)).one()

    first = used_at()
    assert first is not None
    assert used_at() == first


def _cookie(client: CookieClient) -> str:
    cookie = client.get_cookie("vabhub_session")
    assert cookie is not None
    return cookie.value
