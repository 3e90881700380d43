"""Templates over REST."""

from __future__ import annotations

from collections.abc import Callable

from tests.web.conftest import CookieClient


def test_a_template_is_written_tried_changed_and_removed(admin_client: CookieClient) -> None:
    body = {"event": "added", "subject": "{{ title }}!", "body": "{{ data.name|default('-') }}"}
    tried = admin_client.post("/api/templates/preview", json=body)
    assert tried.status_code == 200
    assert tried.get_json()["data"]["body"] == "-"
    made = admin_client.post("/api/templates", json=body)
    assert made.status_code == 201
    address = f"/api/templates/{made.get_json()['data']['id']}"
    assert admin_client.put(address, json=body | {"language": "zh"}).get_json()["data"]["language"] == "zh"
    assert [row["event"] for row in admin_client.get("/api/templates").get_json()["data"]] == ["added"]
    events = [row["event"] for row in admin_client.get("/api/templates/events").get_json()["data"]]
    assert {"added", "channel_held"} <= set(events)
    assert admin_client.delete(address).status_code == 200
    assert admin_client.get(address).status_code == 404


def test_a_broken_one_is_refused_naming_the_field(admin_client: CookieClient) -> None:
    answer = admin_client.post("/api/templates", json={"event": "added", "body": "a\n{{ nope }}"})
    assert answer.status_code == 422
    (fault,) = answer.get_json()["errors"]
    expected = {"field": "body", "message": "line 2: 'nope' is undefined", "code": "template_error"}
    assert fault == expected


def test_a_notification_names_a_template(admin_client: CookieClient) -> None:
    body = {"title": "t", "message": "m", "template": "channel_test", "data": {"channel": "x"}}
    assert admin_client.post("/api/notifications", json=body).status_code == 201
    answer = admin_client.post("/api/notifications", json=body | {"template": "nope"})
    assert answer.get_json()["errors"][0]["code"] == "unknown_template"


def test_only_an_administrator_may_write_or_try(
    client: CookieClient, token: Callable[..., dict[str, str]]
) -> None:
    header = token("read", "notify", "control")
    body = {"event": "added", "body": "x"}
    for path in ("/api/templates", "/api/templates/preview"):
        assert client.post(path, json=body, headers=header).status_code == 403
    assert client.put("/api/templates/1", json=body, headers=header).status_code == 403
    assert client.delete("/api/templates/1", headers=header).status_code == 403
    assert client.get("/api/templates", headers=header).status_code == 200
