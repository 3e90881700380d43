"""The template editor in a real browser: typed, seen, refused when broken, saved, sent."""

from __future__ import annotations

import httpx
from playwright.sync_api import StorageState, expect

from tests.browser.conftest import OpenPage
from tests.support.sink import Sink
from tests.support.stack import Stack


def test_a_template_is_written_seen_and_sent(
    open_page: OpenPage, stack: Stack, session: StorageState, complaints: list[str], sink: Sink
) -> None:
    program: httpx.Client = stack.signed_in()
    body = {"name": "chat", "kind": "webhook", "settings": {"url": sink.url}}
    assert program.post("/api/channels", json=body).status_code == 201
    program.post("/api/notifications", json={"title": "A real one", "message": "really sent"})
    page = open_page("/settings/templates", cookies=session["cookies"])
    page.get_by_role("link", name="New template").click()
    source, shown = page.locator('[data-field="body"]'), page.locator('[data-preview="body"]')
    source.fill("")
    page.click('[data-insert="title"]')
    source.press_sequentially(": {{ message|upper }}")
    expect(shown).to_contain_text("Severance: S02E05: “TROJAN'S HORSE”")
    page.select_option("[data-sample]", label="A real one")
    expect(shown).to_have_text("A real one: REALLY SENT")

    source.press_sequentially("\n{{ titel }}")
    expect(page.locator('[data-error-of="body"]')).to_have_text("line 2: 'titel' is undefined")
    page.fill('[data-field="event"]', "movie_added")
    page.click("[data-save]")
    expect(source).to_be_focused()
    expect(page.locator('[data-error-of="body"]')).to_contain_text("line 2: 'titel' is undefined")
    complaints.clear()  # the browser writes down the refusal

    source.fill("{{ data.name }} in {{ data.quality }}")
    page.click("[data-save]")
    page.wait_for_url("**/settings/templates")
    sent = {"title": "t", "message": "m", "template": "movie_added", "channels": ["chat"]}
    program.post("/api/notifications", json=sent | {"data": {"name": "Dune", "quality": "2160p"}})
    assert sink.wait_for(1)[0].json()["data"]["message"] == "Dune in 2160p"

    # One that fails on what really came: the message goes all the same, and the page says so.
    number = program.post("/api/notifications", json=sent).json()["data"]["id"]
    assert sink.wait_for(2)[1].json()["data"]["message"] == "m"
    page.goto(f"/notifications/{number}")
    expect(page.locator(".attempt-fault")).to_contain_text(
        "body, line 1: 'dict object' has no attribute 'name'"
    )
    page.goto("/settings/templates")
    expect(page.locator(".wordings", has_text="movie_added")).to_contain_text("Last time it failed")
    page.locator(".wordings", has_text="movie_added").locator(".variants a").click()
    page.click("[data-remove]")
    page.click("[data-confirm-yes]")
    page.wait_for_url("**/settings/templates")
    assert program.get("/api/templates").json()["data"] == []
    program.delete("/api/channels/chat")
