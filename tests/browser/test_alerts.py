"""Alerts in a real browser: a rule made by form is broken, told, changed and deleted."""

from __future__ import annotations

import httpx
import pytest
from playwright.sync_api import StorageState, expect

from tests.browser.conftest import OpenPage
from tests.support.stack import Stack

FIRES_WITHIN_MS = 90_000  # two checks, 15 s apart, on a busy machine


@pytest.fixture(scope="module")
def program(stack: Stack) -> httpx.Client:
    """The administrator's REST client."""
    return stack.signed_in()


def test_a_rule_is_made_broken_changed_and_deleted(
    open_page: OpenPage, session: StorageState, program: httpx.Client, complaints: list[str]
) -> None:
    page = open_page("/settings/alerts", cookies=session["cookies"])
    page.wait_for_selector('[data-conn][data-state="live"]')
    page.get_by_text("Add a rule").click()
    page.select_option('[data-new] [data-field="metric"]', "memory_usage")
    for field, value in (("threshold", "1"), ("clear_at", "2"), ("for_minutes", "0")):
        page.fill(f'[data-new] [data-field="{field}"]', value)
    page.get_by_role("button", name="Add the rule").click()
    expect(page.locator("[data-new] [data-form-error]")).to_contain_text("clear_at must not lie above")
    complaints.clear()  # the browser writes down the refusal
    page.fill('[data-new] [data-field="clear_at"]', "0")
    page.get_by_role("button", name="Add the rule").click()
    made = page.locator("[data-rules] > .rule", has_text="1 % or more for 0 min")
    expect(made).to_be_visible()

    firing = page.locator('[data-alerts] > [data-state="firing"]', has_text="Memory is nearly full")
    expect(firing).to_be_visible(timeout=FIRES_WITHIN_MS)
    newest = program.get("/api/notifications?q=memory").json()["data"]["items"]
    assert [(one["source"], one["type"], one["channels"]) for one in newest] == [
        ("alerts", "warning", ["system"])
    ]

    made.locator("summary").click()
    made.locator('[data-field="for_minutes"]').fill("7")
    made.get_by_role("button", name="Save").click()
    changed = page.locator("[data-rules] > .rule", has_text="1 % or more for 7 min")
    expect(changed).to_be_visible()
    changed.get_by_role("button", name="Switch off").click()
    expect(changed.get_by_role("button", name="Switch on")).to_be_visible()
    changed.locator("summary").click()
    changed.get_by_role("button", name="Delete").click()
    page.locator("[data-confirm-yes]").click()
    expect(changed).to_have_count(0)
    assert len(program.get("/api/alerts/rules").json()["data"]) == 7
