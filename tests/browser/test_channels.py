"""Channels in a real browser: made by form, tried before saving, and a broken one found and mended."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Page, StorageState, expect

from tests.browser.conftest import OpenPage
from tests.support.sink import Answer, Sink
from tests.support.stack import Stack
from tests.support.waiting import wait_until

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
MARKUP = '<img src=x onerror="window.harmed = 1">Unauthorized'


@pytest.fixture(scope="module")
def program(stack: Stack) -> httpx.Client:
    """The administrator's REST client."""
    return stack.signed_in()


@pytest.fixture
def provider() -> Iterator[Sink]:
    """A provider on loopback."""
    sink = Sink().start()
    yield sink
    sink.stop()


@pytest.fixture
def open_live(open_page: OpenPage, session: StorageState) -> OpenPage:
    """Opens a page, signed in, and waits until it is live."""

    def open_one(path: str, **options: object) -> Page:
        page = open_page(path, cookies=session["cookies"], **options)
        page.wait_for_selector('[data-conn][data-state="live"]')
        return page

    return open_one


def test_a_channel_is_made_by_form_and_tried_before_it_is_saved(
    open_live: OpenPage, provider: Sink, program: httpx.Client, complaints: list[str]
) -> None:
    page = open_live("/settings/channels")
    page.get_by_role("link", name="Add a channel").click()
    page.locator('.card a[href$="kind=webhook"]').click()
    expect(page.locator('[data-field="name"]')).to_be_focused()
    page.keyboard.type("chat")
    page.click("[data-save]")
    expect(page.locator('[data-error-of="settings.url"]')).to_have_text("This is needed.")
    expect(page.locator('[data-field="settings.url"]')).to_be_focused()
    complaints.clear()  # the browser writes down the refusal

    page.keyboard.type(f"{provider.url}/in")
    page.fill('[data-field="settings.secret"]', SECRET)
    page.fill('[data-field="settings.headers"]', "X-Room: den")
    provider.script.append(Answer(401, f"{MARKUP}: {SECRET}"))
    page.click("[data-test]")
    expect(page.locator("[data-trial-head]")).to_have_text("The test failed: The channel was refused (401)")
    expect(page.locator("[data-trial-said]")).to_have_text(f"{MARKUP}: ***")
    assert program.get("/api/channels/chat").status_code == 404, "nothing is saved by a test"

    page.click("[data-test]")
    expect(page.locator("[data-trial-head]")).to_contain_text("The test message was taken")
    assert provider.requests[1].headers["x-room"] == "den"
    page.click("[data-save]")
    page.wait_for_url("**/settings/channels")
    expect(page.locator('.channel[data-state="on"] .channel-name', has_text="chat")).to_be_visible()
    assert page.evaluate("window.harmed") is None

    page.get_by_role("link", name="chat").click()
    expect(page.locator('[data-field="settings.secret"]')).to_have_value("***")
    page.locator(".more summary").click()
    page.fill('[data-field="rate_per_minute"]', "20")
    page.click("[data-save]")
    page.wait_for_url("**/settings/channels")
    assert program.get("/api/channels/chat").json()["data"]["rate_per_minute"] == 20
    program.post("/api/channels/chat/test")
    assert "webhook-signature" in provider.requests[2].headers, "the secret is kept"
    program.delete("/api/channels/chat")


def test_a_broken_channel_is_found_understood_and_mended(
    open_live: OpenPage, provider: Sink, program: httpx.Client
) -> None:
    settings = {"url": f"{provider.url}/old"}
    body = {"name": "pager", "kind": "webhook", "settings": settings}
    assert program.post("/api/channels", json=body).status_code == 201
    page = open_live("/settings/channels")
    row = page.locator(".channel", has=page.get_by_role("link", name="pager"))
    expect(row.locator(".state")).to_have_text("On")
    provider.script.append(Answer(401, "the key was revoked"))
    first = _send(program, "pager")
    # Found: without a click, on the page and in the inbox.
    expect(row).to_have_attribute("data-state", "refused")
    expect(row.locator(".channel-reason")).to_have_text("the key was revoked")
    second = _send(program, "pager")
    expect(row.locator(".channel-waiting")).to_have_text("1 waiting")
    inbox = program.get("/api/notifications?channel=system").json()["data"]["items"]
    assert "The channel pager was switched off" in [note["title"] for note in inbox]
    # Understood and mended: another address, a test, and what waited goes.
    row.get_by_role("link", name="pager").click()
    expect(page.locator("[data-why]")).to_contain_text("the key was revoked")
    page.fill('[data-field="settings.url"]', f"{provider.url}/new")
    page.click("[data-test]")
    expect(page.locator("[data-trial-head]")).to_contain_text("taken")
    page.click("[data-save]")
    page.wait_for_url("**/settings/channels")
    expect(row).to_have_attribute("data-state", "on")
    wait_until(lambda: _status(program, second) == "sent", what="what waited is sent")
    assert _status(program, first) == "failed"
    assert provider.requests[-1].path == "/new"
    program.delete("/api/channels/pager")


def test_a_click_mends_switches_off_and_on_and_deletes(
    open_live: OpenPage, provider: Sink, program: httpx.Client
) -> None:
    body = {"name": "den", "kind": "webhook", "settings": {"url": provider.url}}
    assert program.post("/api/channels", json=body).status_code == 201
    provider.script.append(Answer(410, "gone"))
    _send(program, "den")
    page = open_live("/settings/channels", locale="zh-CN", width=360, color_scheme="dark")
    row = page.locator(".channel", has=page.get_by_role("link", name="den"))
    expect(row.locator(".state")).to_have_text("被拒绝")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    row.locator('[data-act="heal"]').click()
    expect(row.locator(".state")).to_have_text("已启用")
    row.locator('[data-act="test"]').click()
    expect(row.locator(".channel-said")).to_contain_text("测试消息已被接收")
    row.locator('[data-act="toggle"]').click()
    expect(row).to_have_attribute("data-state", "off")
    row.locator('[data-act="toggle"]').click()
    expect(row).to_have_attribute("data-state", "on")
    row.locator('[data-act="remove"]').click()
    page.keyboard.press("Escape")
    expect(row.locator('[data-act="remove"]')).to_be_focused()
    page.keyboard.press("Enter")
    page.click("[data-confirm-yes]")
    expect(row).to_have_count(0)
    assert program.get("/api/channels/den").status_code == 404


def _send(program: httpx.Client, channel: str) -> int:
    answer = program.post("/api/notifications", json={"title": "t", "message": "m", "channels": [channel]})
    number: int = answer.json()["data"]["id"]
    return number


def _status(program: httpx.Client, notification_id: int) -> str:
    return str(program.get(f"/api/notifications/{notification_id}").json()["data"]["status"])
