"""Sign-in, first start and the overview as a browser without JavaScript sees them."""

from __future__ import annotations

import re

import pytest
from bs4 import BeautifulSoup
from flask.testing import FlaskClient

from vabhub import accounts
from vabhub.db import reading
from web import i18n

HTML = {"Accept": "text/html"}
CHROMIUM = (
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,"
    "application/signed-exchange;v=b3;q=0.7"
)


def test_first_start_leads_to_the_setup_and_signs_in(client: FlaskClient) -> None:
    assert client.get("/", headers=HTML).location == "/setup"
    answer = client.post("/setup", data={"username": "ann", "password": "a long enough one"})
    assert (answer.status_code, answer.location) == (303, "/")
    assert client.get("/", headers=HTML).status_code == 200


def test_a_short_password_creates_nothing_and_keeps_the_name(client: FlaskClient) -> None:
    answer = client.post("/setup", data={"username": "ann", "password": "short"})
    page = BeautifulSoup(answer.data, "html.parser")
    assert answer.status_code == 422
    assert page.select_one("#username")["value"] == "ann"
    assert page.select_one("#password").get("value") is None
    assert "8" in page.select_one("#password-error").text
    with reading() as session:
        assert not accounts.has_account(session)


def test_the_setup_is_closed_once_an_account_exists(client: FlaskClient, admin: tuple[str, str]) -> None:
    assert client.get("/setup", headers=HTML).status_code == 302
    answer = client.post("/setup", data={"username": "eve", "password": "a long enough one"})
    assert answer.status_code in {302, 401}
    with reading() as session, pytest.raises(Exception, match="wrong"):
        accounts.check_password(session, "eve", "a long enough one")


def test_signing_in_leads_on_and_out_again(client: FlaskClient, admin: tuple[str, str]) -> None:
    answer = client.post("/login", data={"username": admin[0], "password": admin[1], "next": "/?a=1"})
    assert (answer.status_code, answer.location) == (303, "/?a=1")
    csrf_token = _page(client, "/").select_one('meta[name="csrf-token"]')["content"]
    assert client.post("/logout", headers=HTML).status_code == 403
    assert client.post("/logout", data={"csrf_token": csrf_token}).location == "/login"
    assert client.get("/", headers=HTML).location == "/login"


def test_a_wrong_password_says_so_and_sets_no_cookie(client: FlaskClient, admin: tuple[str, str]) -> None:
    answer = client.post("/login", data={"username": admin[0], "password": "wrong"})
    page = BeautifulSoup(answer.data, "html.parser")
    assert answer.status_code == 401
    assert page.select_one('[role="alert"]').text
    assert page.select_one("#username")["value"] == admin[0]
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "/\\evil.example", "x", "/a\nb"]
)
def test_signing_in_never_leads_to_another_site(
    client: FlaskClient, admin: tuple[str, str], target: str
) -> None:
    answer = client.post("/login", data={"username": admin[0], "password": admin[1], "next": target})
    assert answer.location == "/"


def test_markup_in_a_name_stays_text(client: FlaskClient, admin: tuple[str, str]) -> None:
    answer = client.post("/login", data={"username": '"><script>alert(1)</script>', "password": "x"})
    assert b"<script>alert" not in answer.data


def test_the_language_follows_the_browser_then_the_choice(
    client: FlaskClient, admin: tuple[str, str]
) -> None:
    assert _page(client, "/login", "zh-CN,zh;q=0.9").html["lang"] == "zh-CN"
    assert _page(client, "/login", "fr,en;q=0.5").html["lang"] == "en"
    answer = client.get("/login?lang=zh&next=/x")
    assert (answer.status_code, answer.location) == (303, "/login?next=%2Fx")
    assert _page(client, "/login", "en").html["lang"] == "zh-CN"


def test_the_overview_draws_first_numbers_without_javascript(admin_client: FlaskClient) -> None:
    page = _page(admin_client, "/")
    memory = page.select_one('[data-figure="memory"]').text
    assert re.fullmatch(r"\d+\.\d%", memory)
    assert page.select_one('[data-card="downloads"] [data-how]').get("hidden") is None
    assert page.select_one('[data-card="downloads"] [data-slot="active"]').text == "–"


def test_a_policy_without_inline_code_goes_with_every_page(
    client: FlaskClient, admin: tuple[str, str]
) -> None:
    policy = client.get("/login").headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("accepted", ["text/html", CHROMIUM])
def test_an_unknown_page_leads_a_person_back(client: FlaskClient, language: str, accepted: str) -> None:
    answer = client.get("/nothere", headers={"Accept": accepted, "Accept-Language": language})
    page = BeautifulSoup(answer.data, "html.parser")
    assert (answer.status_code, answer.mimetype) == (404, "text/html")
    assert page.select_one("h1").text == i18n.catalogue(language)["error.404.title"]
    assert page.select_one('main a.button[href="/"]')


@pytest.mark.parametrize("accepted", ["*/*", "application/json", "application/json, text/html;q=0.9"])
def test_a_program_gets_json_for_an_unknown_page(client: FlaskClient, accepted: str) -> None:
    assert client.get("/nothere", headers={"Accept": accepted}).mimetype == "application/json"
    assert client.get("/api/nothere", headers={"Accept": CHROMIUM}).mimetype == "application/json"


def _page(client: FlaskClient, path: str, languages: str = "en") -> BeautifulSoup:
    answer = client.get(path, headers={**HTML, "Accept-Language": languages})
    assert answer.status_code == 200, answer.data
    return BeautifulSoup(answer.data, "html.parser")
