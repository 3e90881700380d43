"""The settings as a browser without JavaScript sees them, and the form that is made from a schema."""

from __future__ import annotations

from typing import Any

import pytest
from bs4 import BeautifulSoup
from flask.testing import FlaskClient
from pydantic import AnyHttpUrl, BaseModel, EmailStr, Field

from tests.web.conftest import CookieClient
from vabhub.channels import registry
from vabhub.db import transaction
from vabhub.models import Channel
from vabhub.notify.events import EVENTS
from web import i18n, schema_form

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
MARKUP = "<script>window.harmed = 1</script>"


class _Inner(BaseModel):
    a: int


class _Everything(BaseModel):
    text: str = Field(title="A text", json_schema_extra={"title_zh": "文字", "description_zh": "说明"})
    secret: str | None = Field(None, json_schema_extra={"secret": True})
    address: AnyHttpUrl
    count: int | None = Field(None, ge=1, le=9)
    share: float = 0.5
    on: bool = True
    one_of: str = Field("b", json_schema_extra={"enum": ["a", "b"]})
    several: EmailStr | list[EmailStr]
    headers: dict[str, str] = Field(default_factory=dict)
    long: str = Field("", max_length=5000)
    odd: _Inner | None = None


def _make(client: FlaskClient, name: str = "hook", **fields: Any) -> None:
    settings = {"url": "http://127.0.0.1:9/x", "secret": SECRET}
    body = {"name": name, "kind": "webhook", "settings": settings, **fields}
    assert client.post("/api/channels", json=body).status_code == 201


def _page(client: FlaskClient, path: str, language: str = "en") -> BeautifulSoup:
    answer = client.get(path, headers={"Accept": "text/html", "Accept-Language": language})
    assert answer.status_code == 200, answer.text[:500]
    return BeautifulSoup(answer.text, "html.parser")


def test_a_field_has_the_shape_of_its_schema() -> None:
    values = {"secret": "***", "several": ["a@b.example", "c@d.example"], "headers": {"X-A": "***"}}
    found = {f.name: f for f in schema_form.fields(_Everything.model_json_schema(), values, "zh")}
    shapes = {name: field.shape for name, field in found.items()}
    assert shapes == {
        "text": "text",
        "secret": "secret",
        "address": "text",
        "count": "number",
        "share": "number",
        "on": "switch",
        "one_of": "choice",
        "several": "lines",
        "headers": "pairs",
        "long": "area",
        "odd": "json",
    }
    assert (found["text"].label, found["text"].hint, found["text"].required) == ("文字", "说明", True)
    assert (found["count"].rules, found["count"].required) == ({"min": 1, "max": 9, "step": 1}, False)
    assert found["several"].value == "a@b.example\nc@d.example"
    assert (found["headers"].value, found["secret"].value) == ("X-A: ***", "***")
    assert (found["one_of"].options, found["one_of"].value) == (("a", "b"), "b")
    assert (found["on"].value, found["share"].example) == (True, "0.5")
    assert [f.required for f in found.values()] == sorted((f.required for f in found.values()), reverse=True)


@pytest.mark.parametrize("kind", sorted(set(registry.kinds()) - {"system"}))
def test_every_kind_has_a_form_in_both_languages(admin_client: CookieClient, kind: str) -> None:
    expected = {f"settings.{name}" for name in registry.kind_of(kind).Settings.model_fields}
    for language in ("en", "zh"):
        form = _page(admin_client, f"/settings/new-channel?kind={kind}", language).select_one("[data-form]")
        fields = {tag["data-field"] for tag in form.select("[data-field]")}
        assert expected <= fields
        assert "name" in fields
        for tag in form.select("[data-field]"):
            assert form.select_one(f'label[for="{tag["id"]}"]').text.strip()
            assert form.select_one(f'[data-error-of="{tag["data-field"]}"]')


def test_the_list_is_drawn_with_states_and_reasons(admin_client: CookieClient) -> None:
    _make(admin_client)
    _make(admin_client, "off", enabled=False)
    with transaction() as session:
        session.query(Channel).filter_by(name="hook").update({"disabled_reason": MARKUP})
    page = _page(admin_client, "/settings/channels")
    rows = {tag.select_one(".channel-name").text: tag for tag in page.select("[data-list] > .channel")}
    assert {name: tag["data-state"] for name, tag in rows.items()} == {
        "hook": "refused",
        "off": "off",
        "system": "on",
    }
    assert rows["hook"].select_one(".channel-reason").text == MARKUP
    assert rows["hook"].select_one('[data-act="heal"]').get("hidden") is None
    assert rows["system"].select_one('[data-act="remove"]').get("hidden") is not None
    assert page.select_one('.nav a[aria-current="page"]')["href"] == "/settings"
    assert "1 channel needs attention" in _page(admin_client, "/settings").select_one(".intro-sum").text


def test_a_secret_is_not_on_the_page(admin_client: CookieClient) -> None:
    _make(admin_client, rate_per_minute=20)
    answer = admin_client.get("/settings/channels/hook", headers={"Accept": "text/html"})
    assert SECRET not in answer.text
    form = BeautifulSoup(answer.text, "html.parser").select_one("[data-form]")
    assert form.select_one('[data-field="settings.secret"]')["value"] == "***"
    assert form.select_one('[data-field="rate_per_minute"]')["value"] == "20"
    assert form.select_one('[data-field="settings.url"]')["value"] == "http://127.0.0.1:9/x"


def test_the_kinds_are_there_to_choose_from_but_no_second_inbox(admin_client: CookieClient) -> None:
    links = [a["href"] for a in _page(admin_client, "/settings/new-channel").select(".card a")]
    assert "/settings/new-channel?kind=webhook" in links
    assert "/settings/new-channel?kind=system" not in links
    assert len(_page(admin_client, "/settings/new-channel?kind=system").select(".card")) == len(links)


def test_a_channel_that_is_not_there_is_not_found(admin_client: CookieClient) -> None:
    assert admin_client.get("/settings/channels/nowhere", headers={"Accept": "text/html"}).status_code == 404


def test_the_export_form_answers_with_a_file_that_holds_no_secret_unless_asked(
    admin_client: CookieClient,
) -> None:
    _make(admin_client)
    form = _page(admin_client, "/settings/transfer").select_one('form[action="/settings/export"]')
    assert form.select_one("input[checked]")["value"] == "masked"
    for given, is_in in (("masked", False), ("sealed", False), ("nonsense", False), ("plain", True)):
        answer = admin_client.post("/settings/export", data={"secrets": given})
        assert answer.status_code == 200
        assert answer.headers["Content-Disposition"].startswith("attachment; filename=vabhub-")
        assert (SECRET in answer.text) is is_in


def test_every_event_is_listed_with_what_is_written_for_it(admin_client: CookieClient) -> None:
    body = {"event": "added", "body": "{{ title }}", "language": "zh"}
    number = admin_client.post("/api/templates", json=body).get_json()["data"]["id"]
    page = _page(admin_client, "/settings/templates")
    codes = [tag.text for tag in page.select(".event-code")]
    assert {"notification", "channel_held", "added"} <= set(codes)
    (written,) = page.select(".variants a")
    assert (written["href"], written.text) == (f"/settings/templates/{number}", "every channel · Chinese")
    assert "1 template of your own" in _page(admin_client, "/settings").text


def test_every_event_of_the_hubs_own_has_a_word_in_both_languages() -> None:
    for locale in i18n.LOCALES:
        assert {f"template_event.{name}" for name in EVENTS} <= set(i18n.catalogue(locale))


def test_the_editor_starts_with_a_preview_and_the_variables(admin_client: CookieClient) -> None:
    page = _page(admin_client, "/settings/templates/new?event=channel_held")
    assert "{{ data.channel }}" in page.select_one('[data-field="subject"]').text
    assert page.select_one('[data-preview="subject"]').text == "The channel phone is held"
    assert "HTTP 502" in page.select_one('[data-preview="body"]').text
    listed = {tag["data-insert"] for tag in page.select("[data-insert]")}
    assert {"title", "created_at", "data.channel", "data.reason"} <= listed
    assert admin_client.get("/settings/templates/9", headers={"Accept": "text/html"}).status_code == 404


def test_a_template_of_markup_stays_text(admin_client: CookieClient) -> None:
    body = {"event": "added", "body": f"{MARKUP} {{{{ title }}}}"}
    number = admin_client.post("/api/templates", json=body).get_json()["data"]["id"]
    page = _page(admin_client, f"/settings/templates/{number}")
    assert page.select_one('[data-field="body"]').text == body["body"]
    assert page.select_one('[data-preview="body"]').text.startswith(MARKUP)
    assert not [tag for tag in page.find_all("script") if not tag.get("src")]
