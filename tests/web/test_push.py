"""Subscribing a browser: the key, the channel that comes with the first, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.contracts.channels.providers import BROWSER_AUTH, BROWSER_KEY
from tests.support.sink import Sink
from tests.web.conftest import CookieClient
from vabhub.channels import subscriptions
from vabhub.notify.send import deliver


def _body(endpoint: str = "https://push.example.org/abc", **keys: str) -> dict[str, Any]:
    given = {"p256dh": BROWSER_KEY, "auth": BROWSER_AUTH} | keys
    return {"endpoint": endpoint, "keys": given, "expirationTime": None}


def test_a_browser_subscribes_with_our_key_and_is_told(admin_client: CookieClient, sink: Sink) -> None:
    key = admin_client.get("/api/push/key").get_json()["data"]["public_key"]
    assert key == subscriptions.public_key()
    answer = admin_client.post("/api/push/subscriptions", json=_body(f"{sink.url}/abc"))
    assert answer.status_code == 201
    assert answer.get_json()["data"]["channel"] == "push"
    (channel,) = [
        row for row in admin_client.get("/api/channels").get_json()["data"] if row["kind"] == "push"
    ]
    assert channel["enabled"] is True

    note = {"title": "Hello", "message": "world", "channels": ["push"]}
    sent = admin_client.post("/api/notifications", json=note).get_json()["data"]
    deliver(sent["deliveries"][0]["id"])
    assert [request.path for request in sink.requests] == ["/abc"]
    (row,) = admin_client.get("/api/push/subscriptions").get_json()["data"]
    assert row["owner"] == "admin"
    assert row["last_sent_at"] is not None
    assert "endpoint" not in row


def test_subscribing_again_changes_nothing_and_unsubscribing_ends_it(admin_client: CookieClient) -> None:
    ids = {
        admin_client.post("/api/push/subscriptions", json=_body()).get_json()["data"]["id"] for _ in range(2)
    }
    assert len(ids) == 1
    gone = {"endpoint": "https://push.example.org/abc"}
    assert admin_client.delete("/api/push/subscriptions", json=gone).status_code == 200
    assert admin_client.delete("/api/push/subscriptions", json=gone).status_code == 404
    assert admin_client.get("/api/push/subscriptions").get_json()["data"] == []


def test_a_name_that_is_taken_is_left_alone(admin_client: CookieClient) -> None:
    settings = {"url": "http://127.0.0.1:9/x"}
    admin_client.post("/api/channels", json={"name": "push", "kind": "webhook", "settings": settings})
    answer = admin_client.post("/api/push/subscriptions", json=_body())
    assert answer.get_json()["data"]["channel"] == "browser-push"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (_body("ftp://push.example.org"), "endpoint"),
        (_body(p256dh="A" * 87), "keys.p256dh"),
        (_body(auth="A" * 16), "keys.auth"),
        (_body("http://169.254.169.254/x"), "settings.endpoint"),
    ],
)
def test_what_is_no_browser_is_refused(admin_client: CookieClient, body: dict[str, Any], field: str) -> None:
    answer = admin_client.post("/api/push/subscriptions", json=body)
    assert answer.status_code == 422
    assert answer.get_json()["errors"][0]["field"] == field


def test_who_may_only_read_cannot_subscribe(
    client: FlaskClient, token: Callable[..., dict[str, str]]
) -> None:
    answer = client.post("/api/push/subscriptions", json=_body(), headers=token("read"))
    assert answer.status_code == 403


def test_the_service_worker_stands_at_the_root(client: FlaskClient) -> None:
    answer = client.get("/sw.js")
    assert (answer.status_code, answer.mimetype) == (200, "text/javascript")
    assert answer.headers["Cache-Control"] == "no-cache"
    assert b"notificationclick" in answer.data


@pytest.mark.parametrize("url", ["http://0xa9fea9fe/latest", "http://127.0.0.1:8000/api/notifications"])
def test_a_channel_to_a_refused_address_is_not_saved(admin_client: CookieClient, url: str) -> None:
    body = {"name": "sly", "kind": "webhook", "settings": {"url": url}}
    answer = admin_client.post("/api/channels", json=body)
    assert answer.status_code == 422
    assert answer.get_json()["errors"][0]["code"] == "refused_address"
    assert admin_client.get("/api/channels/sly").status_code == 404


def test_a_program_cannot_have_pushes_sent_to_itself(
    client: CookieClient, token: Callable[..., dict[str, str]]
) -> None:
    answer = client.post("/api/push/subscriptions", json=_body(), headers=token("admin"))
    assert (answer.status_code, answer.get_json()["error_code"]) == (403, "FORBIDDEN")
