"""The page of the alerts as a browser without JavaScript sees it."""

from __future__ import annotations

import pytest
from bs4 import BeautifulSoup

from tests.web.conftest import CookieClient
from vabhub.clock import utcnow
from vabhub.db import transaction
from vabhub.models import Alert

MARKUP = "<script>window.harmed = 1</script>"


def _page(client: CookieClient, language: str = "en") -> BeautifulSoup:
    answer = client.get("/settings/alerts", headers={"Accept": "text/html", "Accept-Language": language})
    assert answer.status_code == 200, answer.text[:500]
    return BeautifulSoup(answer.text, "html.parser")


def test_shipped_rules_are_said_in_words(admin_client: CookieClient) -> None:
    said = {
        rule.select_one(".rule-name").text: rule.select_one(".rule-says").text  # type: ignore[union-attr]
        for rule in _page(admin_client).select("[data-rules] > .rule")
    }
    assert said["A disk is nearly full"] == "95 % or more for 5 min"
    assert said["A disk will soon be full"] == "7 d or less for 60 min"
    assert said["A source does not answer"] == "for 5 min"
    assert "处理器繁忙" in _page(admin_client, "zh").text


@pytest.mark.parametrize("status", ["pending", "firing", "resolved"])
def test_an_alert_is_a_line_and_its_subject_is_text(admin_client: CookieClient, status: str) -> None:
    now = utcnow()
    fields = {"metric": "disk_usage", "subject": MARKUP, "value": 96.25, "threshold": 95.0}
    with transaction() as session:
        session.add(Alert(status=status, version=1, seen_at=now, started_at=now, fired_at=now, **fields))
    page = _page(admin_client)
    (line,) = page.select(f'[data-alerts] > .alert[data-state="{status}"]')
    assert line.select_one(".alert-subject").text == MARKUP  # type: ignore[union-attr]
    assert line.select_one(".alert-value").text == "96.2 %"  # type: ignore[union-attr]
    assert page.select_one("[data-none]").has_attr("hidden")  # type: ignore[union-attr]


def test_nothing_broken_is_said_too(admin_client: CookieClient) -> None:
    assert not _page(admin_client).select_one("[data-none]").has_attr("hidden")  # type: ignore[union-attr]
