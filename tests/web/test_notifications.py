"""Notifications, channels, deliveries and the library over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, func, select, text

from tests.support.redis import RedisServer
from tests.support.sink import Sink
from tests.support.times import IN_A_MONTH
from tests.web.conftest import CookieClient
from vabhub import db, queues, redis_client
from vabhub.clock import utcnow
from vabhub.db import reading, transaction
from vabhub.models import Delivery, Notification
from vabhub.models.library import LibraryRoot
from vabhub.settings import Settings, use_settings

BODY = {"title": "Disk", "message": "is nearly full", "type": "warning", "priority": "high"}
WEBHOOK = {
    "name": "hook",
    "kind": "webhook",
    "settings": {"url": "http://127.0.0.1:9/x", "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"},
}


def stored() -> int:
    with reading() as session:
        return session.scalar(select(func.count()).select_from(Notification)) or 0


@pytest.fixture
def program(client: CookieClient, token: Callable[..., dict[str, str]]) -> Callable[..., Any]:
    """Sends a request as a program that may do everything but administer."""
    header = token("read", "notify", "control")

    def send(method: str, path: str, body: Any = None, **headers: str) -> Any:
        return client.open(path, method=method, json=body, headers={**header, **headers})

    return send


def test_a_notification_is_accepted_listed_read_and_deleted(program: Callable[..., Any]) -> None:
    answer = program("POST", "/api/notifications", BODY)
    assert answer.status_code == 201
    receipt = answer.get_json()["data"]
    assert [row["channel"] for row in receipt["deliveries"]] == ["system"]
    listed = program("GET", "/api/notifications?type=warning&page_size=5").get_json()["data"]
    assert {key: listed[key] for key in ("total", "page", "page_size", "total_pages")} == {
        "total": 1,
        "page": 1,
        "page_size": 5,
        "total_pages": 1,
    }
    one = f"/api/notifications/{receipt['id']}"
    shown = program("GET", one).get_json()["data"]
    assert (shown["title"], shown["type"], shown["deliveries"][0]["attempts"]) == ("Disk", "warning", [])
    assert program("POST", f"{one}/read").status_code == 200
    assert program("GET", "/api/notifications/unread/count").get_json()["data"] == {"count": 0}
    assert program("DELETE", one).status_code == 200
    assert program("GET", one).status_code == 404
    assert program("POST", f"{one}/read").status_code == 404


def test_a_wrong_channel_is_422_and_nothing_is_stored(program: Callable[..., Any]) -> None:
    answer = program("POST", "/api/notifications", {**BODY, "channels": ["system", "nowhere"]})
    assert answer.status_code == 422
    assert answer.get_json()["errors"][0]["field"] == "channels"
    assert stored() == 0


def test_the_same_key_gets_the_same_answer_and_another_body_409(program: Callable[..., Any]) -> None:
    key = {"Idempotency-Key": "abc"}
    first = program("POST", "/api/notifications", BODY, **key)
    again = program("POST", "/api/notifications", BODY, **key)
    other = program("POST", "/api/notifications", {**BODY, "title": "Another"}, **key)
    assert (first.status_code, again.status_code, other.status_code) == (201, 201, 409)
    assert again.get_json()["data"] == first.get_json()["data"]
    assert stored() == 1


def test_a_key_that_cannot_be_is_422(program: Callable[..., Any]) -> None:
    answer = program("POST", "/api/notifications", BODY, **{"Idempotency-Key": "x" * 256})
    assert (answer.status_code, answer.get_json()["errors"][0]["field"]) == (422, "Idempotency-Key")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"title": "x" * 256}, "title"),
        ({"message": "x" * 65537}, "message"),
        ({"type": "fatal"}, "type"),
        ({"priority": 3}, "priority"),
        ({"channels": "system"}, "channels"),
        ({"send_at": "2030-01-01T00:00:00"}, "send_at"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_wrong_field_names_itself(program: Callable[..., Any], change: dict[str, Any], field: str) -> None:
    answer = program("POST", "/api/notifications", {**BODY, **change})
    assert answer.status_code == 422
    assert [error["field"] for error in answer.get_json()["errors"]] == [field]
    assert stored() == 0


@pytest.mark.parametrize("query", ["page=0", "page_size=101", "page_size=-1", "type=x", "status=x", "ids="])
def test_a_wrong_filter_is_422(program: Callable[..., Any], query: str) -> None:
    assert program("GET", f"/api/notifications?{query}").status_code == 422


def test_deleting_all_takes_no_filter_and_no_slash_matters(program: Callable[..., Any]) -> None:
    program("POST", "/api/notifications", BODY)
    assert program("DELETE", "/api/notifications/?category=unknown").status_code == 422
    assert program("GET", "/api/notifications").get_json()["data"]["total"] == 1
    assert program("DELETE", "/api/notifications/").get_json()["data"] == {"count": 1}
    assert program("GET", "/api/notifications").get_json()["data"]["total"] == 0


def test_a_notification_is_accepted_while_redis_is_down(sqlite: Settings, tmp_path: Path) -> None:
    from vabhub import accounts
    from web import create_app

    own = RedisServer(tmp_path / "own")
    own.start()
    redis_client.close()
    app = create_app(sqlite.model_copy(update={"redis_url": own.url}))
    with transaction() as session:
        _, secret = accounts.create_token(session, "t", ["notify"])
    own.remove()
    answer = app.test_client().post("/api/notifications", json=BODY, headers={"X-Api-Key": secret})
    assert answer.status_code == 201
    assert stored() == 1
    redis_client.close()
    queues.reset()
    use_settings(sqlite)


def _refused_and_nothing_stored(program: Callable[..., Any], body: dict[str, Any]) -> None:
    answer = program("POST", "/api/notifications", body, **{"Idempotency-Key": "once"})
    assert (answer.status_code, answer.get_json()["error_code"]) == (503, "UNAVAILABLE")
    assert int(answer.headers["Retry-After"]) >= 1


def test_a_locked_database_is_503_and_resumes_alone(
    program: Callable[..., Any], sqlite: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert program("GET", "/api/notifications").status_code == 200  # the token's use is on record
    monkeypatch.setattr(db, "LOCK_WAIT_S", 0.2)
    other = db.make_engine(sqlite.database_url)
    with other.connect() as holder:
        holder.execute(text("DELETE FROM activity"))
        _refused_and_nothing_stored(program, BODY)
    other.dispose()
    assert stored() == 0
    assert program("POST", "/api/notifications", BODY, **{"Idempotency-Key": "once"}).status_code == 201


def test_a_full_database_is_503_with_nothing_half_written(program: Callable[..., Any]) -> None:
    def has_no_room(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA max_page_count = 1")  # no more pages than there are

    large = {**BODY, "message": "x" * 60_000}
    db.dispose()
    event.listen(db.get_engine(), "connect", has_no_room)
    _refused_and_nothing_stored(program, large)
    db.dispose()
    with reading() as session:
        counts = [session.scalar(select(func.count()).select_from(row)) for row in (Notification, Delivery)]
        assert counts == [0, 0]
    assert program("POST", "/api/notifications", large, **{"Idempotency-Key": "once"}).status_code == 201
    assert program("GET", "/api/notifications?q=nearly").get_json()["data"]["total"] == 0


def test_what_is_planned_beyond_a_year_is_422_and_in_the_past_goes_now(program: Callable[..., Any]) -> None:
    far, past = (utcnow() + timedelta(days=days) for days in (400, -1))
    answer = program("POST", "/api/notifications", {**BODY, "send_at": far.isoformat()})
    assert (answer.status_code, answer.get_json()["errors"][0]["field"]) == (422, "send_at")
    number = program("POST", "/api/notifications", {**BODY, "send_at": past.isoformat()}).get_json()
    shown = program("GET", f"/api/notifications/{number['data']['id']}").get_json()["data"]
    assert shown["send_at"] is None


def test_cancelling_and_resending_follow_the_state(program: Callable[..., Any]) -> None:
    later = {**BODY, "send_at": (utcnow() + timedelta(days=1)).isoformat()}
    number = program("POST", "/api/notifications", later).get_json()["data"]["id"]
    answer = program("POST", f"/api/notifications/{number}/resend")
    assert (answer.status_code, answer.get_json()["details"]) == (409, {"status": "pending"})
    assert program("POST", f"/api/notifications/{number}/cancel").get_json()["data"]["status"] == "cancelled"
    assert program("POST", f"/api/notifications/{number}/cancel").status_code == 409
    assert program("POST", f"/api/notifications/{number}/resend").get_json()["data"]["status"] == "pending"


def test_deliveries_are_listed_and_tried_again(program: Callable[..., Any]) -> None:
    receipt = program("POST", "/api/notifications", BODY).get_json()["data"]
    listed = program("GET", "/api/deliveries?status=pending").get_json()["data"]
    assert [row["id"] for row in listed["items"]] == [receipt["deliveries"][0]["id"]]
    assert program("POST", f"/api/deliveries/{listed['items'][0]['id']}/retry").status_code == 200
    assert program("POST", "/api/deliveries/retry").get_json()["data"] == {"count": 0}
    assert program("POST", "/api/deliveries/999/retry").status_code == 404


def test_open_deliveries_are_counted_and_one_is_cancelled(program: Callable[..., Any]) -> None:
    later = {**BODY, "send_at": IN_A_MONTH}
    delivery = program("POST", "/api/notifications", later).get_json()["data"]["deliveries"][0]
    counted = program("GET", "/api/deliveries/counts?channel=system").get_json()["data"]
    assert counted["states"] == {"pending": 1, "sending": 0, "retrying": 0, "dead": 0}
    assert [row["channel"] for row in counted["channels"]] == ["system"]
    path = f"/api/deliveries/{delivery['id']}/cancel"
    assert program("POST", path).get_json()["data"]["status"] == "cancelled"
    refused = program("POST", path)
    assert (refused.status_code, refused.get_json()["details"]) == (409, {"status": "cancelled"})
    assert program("POST", "/api/deliveries/999/cancel").status_code == 404
    assert program("GET", "/api/deliveries?open_only=true").get_json()["data"]["total"] == 0
    body = {"channel": "system", "died_by": counted["as_of"], "limit": 100}
    assert program("POST", "/api/deliveries/retry", body).get_json()["data"] == {"count": 0}


def test_a_channel_is_made_changed_and_deleted_and_never_tells_its_secret(
    admin_client: CookieClient, program: Callable[..., Any]
) -> None:
    assert program("POST", "/api/channels", WEBHOOK).status_code == 403
    made = admin_client.post("/api/channels", json=WEBHOOK)
    assert made.status_code == 201
    assert made.get_json()["data"]["settings"]["secret"] == "***"
    assert admin_client.post("/api/channels", json=WEBHOOK).status_code == 409
    changed = admin_client.patch("/api/channels/hook", json={"enabled": False})
    assert changed.get_json()["data"]["enabled"] is False
    assert "whsec" not in program("GET", "/api/channels").text + program("GET", "/api/channels/hook").text
    assert admin_client.delete("/api/channels/hook").status_code == 200
    assert program("GET", "/api/channels/hook").status_code == 404


def test_wrong_channel_settings_are_422_and_named(admin_client: CookieClient) -> None:
    answer = admin_client.post(
        "/api/channels", json={"name": "hook", "kind": "webhook", "settings": {"colour": 1}}
    )
    assert answer.status_code == 422
    assert "settings.colour" in [error["field"] for error in answer.get_json()["errors"]]
    assert admin_client.post("/api/channels", json={**WEBHOOK, "kind": "pigeon"}).status_code == 422


def test_a_channel_is_tested_the_real_way(admin_client: CookieClient, sink: Sink) -> None:
    settings = {**WEBHOOK["settings"], "url": f"{sink.url}/hook"}  # type: ignore[dict-item]
    admin_client.post("/api/channels", json={**WEBHOOK, "settings": settings})
    answer = admin_client.post("/api/channels/hook/test")
    assert answer.get_json()["data"]["ok"] is True
    assert len(sink.requests) == 1


def test_kinds_describe_the_form_of_their_settings(program: Callable[..., Any]) -> None:
    kinds = {row["kind"]: row for row in program("GET", "/api/channels/kinds").get_json()["data"]}
    assert {"system", "webhook", "email", "telegram"} <= set(kinds)
    assert kinds["webhook"]["schema"]["properties"]


def test_a_scan_is_queued_for_the_roots_there_are(program: Callable[..., Any]) -> None:
    assert program("POST", "/api/library/scan").status_code == 409
    with transaction() as session:
        session.add(LibraryRoot(path="/media", kind="movies", created_at=utcnow()))
    assert program("POST", "/api/library/scan", {"root_id": 99}).status_code == 404
    answer = program("POST", "/api/library/scan")
    assert (answer.status_code, answer.get_json()["data"][0]["state"]) == (202, "queued")
    queue = redis_client.get_queue_redis(answer_timeout_s=1)
    assert queue.llen("dramatiq:library") == 1
    queue.close()
    shown = program("GET", "/api/library/scans").get_json()["data"]
    assert [(row["root"], row["kind"]) for row in shown] == [("/media", "movies")]
