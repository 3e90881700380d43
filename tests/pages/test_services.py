"""The services' pages as a browser without JavaScript sees them."""

from __future__ import annotations

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient

from tests.web.conftest import CookieClient
from vabhub.collectors.services import kinds
from vabhub.settings import Settings, use_settings

SECRET = "correct horse"
MARKUP = "<script>window.harmed = 1</script>"


def _page(client: FlaskClient, path: str, language: str = "en") -> BeautifulSoup:
    answer = client.get(path, headers={"Accept": "text/html", "Accept-Language": language})
    assert answer.status_code == 200, answer.text[:500]
    assert SECRET not in answer.text
    return BeautifulSoup(answer.text, "html.parser")


def _make(client: FlaskClient, name: str) -> None:
    settings = {"url": "http://127.0.0.1:9", "username": MARKUP, "password": SECRET}
    body = {"name": name, "kind": "nzbget", "settings": settings}
    assert client.post("/api/services", json=body).status_code == 201


def test_the_list_shows_those_of_the_page_and_of_the_environment(
    admin_client: CookieClient, sqlite: Settings
) -> None:
    use_settings(sqlite.model_copy(update={"aria2_url": "http://127.0.0.1:9", "aria2_secret": SECRET}))
    _make(admin_client, "attic")
    page = _page(admin_client, "/settings/services")
    rows = {row.select_one('[data-slot="name"]').text: row for row in page.select("ul[data-list] > li")}
    assert set(rows) == {"aria2", "attic"}
    assert rows["attic"].select_one("a.channel-name")["href"] == "/settings/services/attic"
    assert rows["aria2"].select_one("a.channel-name") is None
    assert "environment" in rows["aria2"].text


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("kind", [kind["kind"] for kind in kinds()])
def test_every_kind_has_its_form(admin_client: CookieClient, kind: str, language: str) -> None:
    page = _page(admin_client, f"/settings/new-service?kind={kind}", language)
    fields = {control["data-field"] for control in page.select("[data-field]")}
    schema = next(one for one in kinds() if one["kind"] == kind)["schema"]
    assert fields == {"name", *(f"settings.{name}" for name in schema["properties"])}
    for secret in page.select('[data-shape="secret"]'):
        assert secret["type"] == "password"


def test_a_form_that_is_edited_shows_no_secret_and_no_markup(admin_client: CookieClient) -> None:
    _make(admin_client, "attic")
    page = _page(admin_client, "/settings/services/attic")
    assert page.select_one('[data-field="settings.password"]')["value"] == "***"
    assert page.select_one('[data-field="settings.username"]')["value"] == MARKUP


def test_who_may_not_see_it(app: Flask, admin_client: CookieClient, sqlite: Settings) -> None:
    assert app.test_client().get("/settings/services").status_code == 302
    use_settings(sqlite.model_copy(update={"aria2_url": "http://127.0.0.1:9"}))
    for name, status in (("aria2", 409), ("nobody", 404)):
        assert admin_client.get(f"/settings/services/{name}").status_code == status
