"""Rules and alerts over REST."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.web.conftest import CookieClient

Token = Callable[..., dict[str, str]]
RULE = {"metric": "disk_usage", "threshold": 80, "clear_at": 75}


def test_rules_are_shipped_and_can_be_changed(client: CookieClient, token: Token) -> None:
    admin = token("admin")
    shipped = client.get("/api/alerts/rules", headers=token("read")).get_json()["data"]
    assert {rule["metric"] for rule in shipped} >= {"disk_usage", "disk_full_in_days", "source_down"}
    made = client.post("/api/alerts/rules", json=RULE | {"subject": "/data"}, headers=admin)
    assert made.status_code == 201
    rule = made.get_json()["data"]
    assert (rule["unit"], rule["for_minutes"], rule["channels"]) == ("%", 5, [])
    path = f"/api/alerts/rules/{rule['id']}"
    changed = client.patch(path, json={"threshold": 85, "subject": None}, headers=admin).get_json()["data"]
    assert (changed["threshold"], changed["clear_at"], changed["subject"]) == (85, 75, None)
    assert client.delete(path, headers=admin).status_code == 200
    assert client.delete(path, headers=admin).status_code == 404
    assert len(client.get("/api/alerts/rules", headers=token("read")).get_json()["data"]) == len(shipped)


@pytest.mark.parametrize(
    "wrong",
    [
        {"threshold": 101},
        {"clear_at": 90},
        {"metric": "moon_phase"},
        {"channels": ["nowhere"]},
        {"for_minutes": -1},
        {"metric": "disk_full_in_days", "threshold": 7, "clear_at": 3},
    ],
)
def test_an_impossible_rule_is_refused(client: CookieClient, token: Token, wrong: dict[str, Any]) -> None:
    assert client.post("/api/alerts/rules", json=RULE | wrong, headers=token("admin")).status_code == 422


def test_a_change_must_leave_a_possible_rule(client: CookieClient, token: Token) -> None:
    admin = token("admin")
    rule = client.post("/api/alerts/rules", json=RULE, headers=admin).get_json()["data"]
    answer = client.patch(f"/api/alerts/rules/{rule['id']}", json={"clear_at": 90}, headers=admin)
    assert answer.status_code == 422
    assert "must not lie above threshold" in answer.get_json()["errors"][0]["message"]


def test_alerts_are_listed_by_pages(client: CookieClient, token: Token) -> None:
    answer = client.get("/api/alerts?status=firing&page_size=5", headers=token("read")).get_json()["data"]
    assert (answer["items"], answer["total"], answer["page_size"]) == ([], 0, 5)
    assert client.get("/api/alerts?status=lost", headers=token("read")).status_code == 422
