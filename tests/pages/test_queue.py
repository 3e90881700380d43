"""The queue and a notification's page as a browser without JavaScript sees them."""

from __future__ import annotations

from typing import Any

import pytest
from bs4 import BeautifulSoup, Tag
from flask.testing import FlaskClient
from sqlalchemy import insert, update

from tests.support.times import IN_A_MONTH
from vabhub.channels.base import OutcomeKind
from vabhub.clock import utcnow
from vabhub.db import transaction
from vabhub.models import Attempt, Delivery
from vabhub.notify.states import DeliveryState, NotificationStatus
from vabhub.notify.sweep import UNKNOWN
from web import i18n

HTML = {"Accept": "text/html", "Accept-Language": "en"}
MARKUP = "<script>window.harmed = 1</script>"


def _send(client: FlaskClient, **fields: Any) -> int:
    answer = client.post("/api/notifications", json={"title": "Disk", "message": "is full", **fields})
    number: int = answer.get_json()["data"]["id"]
    return number


def _fail(notification_id: int, text: str = "no") -> None:
    """Write a refused attempt, as a worker would."""
    now = utcnow()
    with transaction() as session:
        mine = Delivery.notification_id == notification_id
        values = {"state": "dead", "attempts": 1, "epoch": 1, "last_error": text, "finished_at": now}
        (delivery_id,) = session.scalars(update(Delivery).where(mine).values(**values).returning(Delivery.id))
        ended = {"outcome": "permanent_message", "provider_status": 400, "text": text, "next_state": "dead"}
        row = {"delivery_id": delivery_id, "epoch": 1, "started_at": now, "finished_at": now, **ended}
        session.execute(insert(Attempt).values(**row))


def test_an_empty_queue_says_so_kindly(admin_client: FlaskClient) -> None:
    page = _page(admin_client, "/queue")
    assert page.select_one("[data-empty]").get("hidden") is None
    assert "Nothing is waiting" in page.select_one("[data-empty-head]").text
    assert page.select_one("[data-bulk]").get("hidden") is not None
    assert page.select_one('.nav a[aria-current="page"]')["href"] == "/queue"


def test_the_queue_is_drawn_with_counts_and_rows(admin_client: FlaskClient) -> None:
    waits = _send(admin_client, title="Later", send_at=IN_A_MONTH)
    failed = _send(admin_client, title=MARKUP)
    _fail(failed, MARKUP)
    page = _page(admin_client, "/queue")
    assert [tag.text for tag in page.select("[data-count]")] == ["2", "1", "0", "0", "1"]
    assert [tag["href"] for tag in page.select(".delivery .delivery-title")[:2]] == [
        f"/notifications/{failed}",
        f"/notifications/{waits}",
    ]
    assert page.select_one(".delivery-why").text == MARKUP
    assert len(_rows(_page(admin_client, "/queue?status=pending"))) == 1
    assert _rows(_page(admin_client, "/queue?channel=other")) == []
    assert len(_rows(_page(admin_client, "/queue?status=nonsense&page=x"))) == 2
    assert len(_rows(_page(admin_client, "/queue?page=99"))) == 2


def test_failed_deliveries_are_resent_by_a_plain_form(admin_client: FlaskClient) -> None:
    failed = _send(admin_client)
    _fail(failed)
    form = _page(admin_client, "/queue").select_one("[data-bulk]")
    fields = {tag["name"]: tag["value"] for tag in form.select("input")}
    later = _send(admin_client)
    _fail(later)
    answer = admin_client.post(form["action"], data=fields)
    assert (answer.status_code, answer.location) == (303, "/queue?resent=1")
    page = _page(admin_client, answer.location)
    assert "1 delivery is on its way again" in page.text
    assert [tag.text for tag in page.select("[data-count]")] == ["2", "1", "0", "0", "1"]
    assert admin_client.post("/queue/resend", data={"died_by": "never"}).location == "/queue?resent=0"


def test_the_form_needs_its_token(admin_client: FlaskClient) -> None:
    _fail(_send(admin_client))
    admin_client.csrf_token = None  # type: ignore[attr-defined]
    answer = admin_client.post("/queue/resend", data={"died_by": "2030-01-01T00:00:00Z"}, headers=HTML)
    assert answer.status_code == 403


def test_a_notification_is_drawn_with_its_timeline(admin_client: FlaskClient) -> None:
    failed = _send(admin_client, link="https://example.org/a?b=1", priority="high")
    _fail(failed, MARKUP)
    page = _page(admin_client, f"/notifications/{failed}")
    detail = page.select_one("[data-notification-page] [data-detail]")
    assert detail.select_one(".detail-title").text == "Disk"
    assert detail.select_one(".detail-link a")["href"] == "https://example.org/a?b=1"
    attempt = detail.select_one(".attempt")
    assert attempt.select_one('[data-slot="outcome"]').text == "The message was refused"
    assert attempt.select_one('[data-slot="status"]').text == "Status 400"
    assert attempt.select_one("pre").text == MARKUP
    assert attempt.select_one('[data-slot="then"]').text == "Then: given up"
    assert "Given up after 1 attempt" in detail.select_one(".way-next").text


@pytest.mark.parametrize("link", ["javascript:alert(1)", "data:text/html,x", "//example.org"])
def test_a_link_that_is_no_page_is_not_drawn(admin_client: FlaskClient, link: str) -> None:
    answer = admin_client.post("/api/notifications", json={"title": "x", "message": "y", "link": link})
    if answer.status_code == 422:
        return
    page = _page(admin_client, f"/notifications/{answer.get_json()['data']['id']}")
    assert page.select_one("[data-notification-page] .detail-link a").get("href") is None


def test_a_notification_that_is_not_there_is_a_page_too(admin_client: FlaskClient) -> None:
    answer = admin_client.get("/notifications/4711", headers=HTML)
    assert answer.status_code == 404
    assert "Nothing here" in answer.text


@pytest.mark.parametrize("path", ["/queue", "/notifications/1"])
def test_a_stranger_is_led_to_sign_in(client: FlaskClient, admin: tuple[str, str], path: str) -> None:
    assert client.get(path, headers=HTML).location == "/login"


def test_every_state_and_outcome_has_its_words() -> None:
    wanted = {f"delivery.{state}" for state in DeliveryState}
    wanted |= {f"status.{status}" for status in NotificationStatus}
    wanted |= {f"outcome.{kind}" for kind in (*OutcomeKind, UNKNOWN, "running")}
    wanted |= {f"next.{state}" for state in ("delivered", "dead", "cancelled")}
    wanted |= {f"hold.{kind}" for kind in ("off", "off_because", "asked_to_wait", "deleted")}
    for locale in i18n.LOCALES:
        assert wanted - set(i18n.catalogue(locale)) == set()


def _page(client: FlaskClient, path: str) -> BeautifulSoup:
    answer = client.get(path, headers=HTML)
    assert answer.status_code == 200, answer.data
    return BeautifulSoup(answer.data, "html.parser")


def _rows(page: BeautifulSoup) -> list[Tag]:
    return page.select("[data-list] > .delivery")
