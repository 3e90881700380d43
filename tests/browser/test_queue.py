"""The queue and the drawer in a real browser: a failure is found, understood, mended and resent."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, StorageState, expect

from tests.browser.conftest import OpenPage
from tests.support.ports import free_port
from tests.support.sink import Answer, Sink
from tests.support.stack import Stack
from tests.support.times import IN_A_MONTH
from tests.support.waiting import wait_until

MARKUP = '<img src=x onerror="window.harmed = 1"><b>chat not found</b>'
LATER = IN_A_MONTH
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

Send = Callable[..., int]


@pytest.fixture(scope="module")
def program(stack: Stack) -> httpx.Client:
    """The administrator's REST client."""
    return stack.signed_in()


@pytest.fixture(scope="module")
def provider(program: httpx.Client) -> Iterator[Sink]:
    """A provider behind the channels `chat` (one attempt) and `pager`; behind `nobody` there is none."""
    sink = Sink().start()
    channel(program, "chat", f"{sink.url}/chat", max_attempts=1)
    channel(program, "pager", f"{sink.url}/pager", retry_schedule_s=[600])
    channel(program, "nobody", f"http://127.0.0.1:{free_port()}/", max_attempts=1)
    yield sink
    sink.stop()


@pytest.fixture(autouse=True)
def empty(program: httpx.Client, provider: Sink) -> None:
    """Begin each test with nothing in the queue."""
    assert program.delete("/api/notifications").status_code == 200
    provider.script.clear()


@pytest.fixture
def send(program: httpx.Client) -> Send:
    """Sends a notification and returns its id."""

    def send_one(*channels: str, **fields: Any) -> int:
        body = {"title": "Disk full", "message": "No space left.", "channels": list(channels), **fields}
        answer = program.post("/api/notifications", json=body)
        assert answer.status_code == 201, answer.text
        number: int = answer.json()["data"]["id"]
        return number

    return send_one


@pytest.fixture
def open_queue(open_page: OpenPage, session: StorageState) -> OpenPage:
    """Opens a page, signed in, and waits until it is live."""

    def open_one(path: str = "/queue", **options: object) -> Page:
        page = open_page(path, cookies=session["cookies"], **options)
        page.wait_for_selector('[data-conn][data-state="live"]')
        page.evaluate("window.same_page = true")
        return page

    return open_one


def test_a_failure_is_found_understood_mended_and_resent(
    open_queue: OpenPage, provider: Sink, send: Send
) -> None:
    page = open_queue()
    expect(page.locator("[data-empty-head]")).to_have_text("Nothing is waiting")
    provider.script.append(Answer(400, MARKUP))
    send("chat", title=MARKUP, link="https://example.org/disk")
    row = page.locator('.delivery[data-state="dead"]')
    expect(row.locator(".delivery-title")).to_have_text(MARKUP)
    expect(row.locator(".delivery-why")).to_contain_text("chat not found")
    expect(page.locator('.states-one[data-state="dead"] [data-count]')).to_have_text("1")

    row.locator(".delivery-title").click()
    drawer = page.locator("[data-drawer]")
    expect(drawer.locator(".attempt b")).to_have_text("The message was refused")
    expect(drawer.locator('.attempt [data-slot="status"]')).to_have_text("Status 400")
    expect(drawer.locator(".attempt-then")).to_have_text("Then: given up")
    expect(drawer.locator(".detail-link a")).to_have_attribute("href", "https://example.org/disk")
    drawer.locator("summary").click()
    expect(drawer.locator(".attempt pre")).to_contain_text(MARKUP)

    drawer.get_by_role("button", name="Resend").click()  # the provider answers 200 again
    expect(drawer.locator(".way")).to_have_attribute("data-state", "delivered")
    expect(drawer.locator(".attempt b")).to_have_text(["Delivered", "The message was refused"])
    expect(drawer.locator(".attempt pre").last).to_be_visible()  # what was opened stays open
    page.keyboard.press("Escape")
    expect(page.locator(".delivery")).to_have_count(0)
    expect(page.locator("[data-empty-head]")).to_have_text("Nothing is waiting")
    assert page.evaluate("[window.same_page, window.harmed ?? null, location.pathname]") == [
        True,
        None,
        "/queue",
    ]


def test_what_nobody_answers_is_said_in_both_languages(open_queue: OpenPage, send: Send) -> None:
    number = send("nobody")
    for locale, outcome, state in (("en-US", "Did not get through", "Failed"), ("zh-CN", "未能送达", "失败")):
        page = open_queue(f"/notifications/{number}", locale=locale)
        detail = page.locator("[data-notification-page]")
        expect(detail.locator(".attempt b")).to_have_text(outcome)
        expect(detail.locator(".way .state")).to_have_text(state)
        assert "outcome." not in page.inner_text("main")


def test_a_waiting_one_is_cancelled_by_keyboard_alone(open_queue: OpenPage, send: Send) -> None:
    send("pager", title="Planned", send_at=LATER)
    page = open_queue()
    expect(page.locator(".delivery-next")).to_contain_text("Next attempt in")
    title = page.locator(".delivery-title")
    _tab_to(page, title)
    page.keyboard.press("Enter")
    expect(page.locator("[data-drawer] .detail-title")).to_be_focused()
    for _ in range(12):
        page.keyboard.press("Tab")
        assert page.evaluate(
            "document.activeElement === document.body || !!document.activeElement.closest('[data-drawer]')"
        )
    page.keyboard.press("Escape")
    expect(page.locator("[data-drawer]")).to_be_hidden()
    expect(title).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator(".delivery")).to_have_count(0)
    expect(page.locator("#main")).to_be_focused()


def test_all_that_failed_is_resent_after_the_exact_count(
    open_queue: OpenPage, provider: Sink, send: Send
) -> None:
    provider.script.extend([Answer(400)] * 3)
    for _ in range(3):
        send("chat")
    send("nobody")
    page = open_queue()
    expect(page.locator("[data-bulk-button]")).to_have_text("Resend 4 failed")
    page.select_option("#channel", "chat")
    expect(page.locator(".delivery")).to_have_count(3)
    assert page.url.endswith("/queue?channel=chat")
    page.click("[data-bulk-button]")
    expect(page.locator("#confirm-title")).to_have_text("Resend 3 failed deliveries?")
    expect(page.locator("[data-confirm-text]")).to_contain_text("chat")
    page.keyboard.press("Escape")
    expect(page.locator(".delivery")).to_have_count(3)
    page.click("[data-bulk-button]")
    page.click("[data-confirm-yes]")
    expect(page.locator(".toast-title", has_text="3 deliveries are on their way again")).to_be_visible()
    expect(page.locator("[data-empty-head]")).to_have_text("Nothing here")
    page.click("[data-empty-all]")
    expect(page.locator(".delivery .delivery-channel")).to_have_text(["nobody"])


def test_filters_and_pages_follow_the_address(open_queue: OpenPage, send: Send) -> None:
    for number in range(21):
        send("pager", title=f"Number {number}", send_at=LATER)
    page = open_queue()
    expect(page.locator("[data-at]")).to_have_text("1–20 of 21")
    page.click("[data-next]")
    expect(page.locator(".delivery-title")).to_have_text(["Number 0"])
    page.click('.states-one[data-state="retrying"]')
    expect(page.locator("[data-empty-head]")).to_have_text("Nothing here")
    page.go_back()
    expect(page.locator(".delivery-title")).to_have_text(["Number 0"])
    page.reload()
    expect(page.locator(".delivery-title")).to_have_text(["Number 0"])
    expect(page.locator('.states-one[aria-current="true"]')).to_have_attribute("data-state", "")


def test_the_bell_opens_the_drawer_and_back_closes_it(open_queue: OpenPage, send: Send) -> None:
    number = send("system", title="From the bell")
    page = open_queue("/")
    page.click("[data-bell]")
    page.locator(".note-title", has_text="From the bell").click()
    expect(page.locator("[data-drawer] .detail-title")).to_have_text("From the bell")
    expect(page.locator("[data-panel]")).to_be_hidden()
    assert page.evaluate("location.pathname") == f"/notifications/{number}"
    expect(page.locator("[data-badge]")).to_be_hidden()
    page.go_back()
    expect(page.locator("[data-drawer]")).to_be_hidden()
    page.go_forward()
    expect(page.locator("[data-drawer] .detail-title")).to_have_text("From the bell")
    assert page.evaluate("window.same_page") is True
    page.reload()
    expect(page.locator("h1, .detail-title[aria-level='1']").first).to_have_text("From the bell")


def test_a_conflict_is_explained_where_it_happened(
    open_queue: OpenPage, program: httpx.Client, send: Send, complaints: list[str]
) -> None:
    number = send("pager", send_at=LATER)
    page = open_queue(f"/notifications/{number}")
    # The page hears nothing of the change: its socket is silent, and REST still tells the old state.
    page.evaluate("WebSocket.prototype.send = () => {}")
    stale = page.request.get(f"/api/notifications/{number}").text()
    page.route(f"**/api/notifications/{number}", lambda route: route.fulfill(body=stale))
    assert program.post(f"/api/notifications/{number}/cancel").status_code == 200
    page.get_by_role("button", name="Cancel", exact=True).click()
    expect(page.locator("[data-notification-page] [data-error]")).to_have_text(
        "Meanwhile it changed: Cancelled."
    )
    assert complaints
    assert all("409" in text for text in complaints)
    complaints.clear()


def test_a_deleted_notification_says_so_in_the_open_drawer(
    open_queue: OpenPage, program: httpx.Client, send: Send, complaints: list[str]
) -> None:
    number = send("pager", send_at=LATER)
    page = open_queue()
    page.click(".delivery-title")
    expect(page.locator("[data-drawer] .way")).to_have_count(1)
    assert program.delete(f"/api/notifications/{number}").status_code == 200
    expect(page.locator("[data-drawer] [data-error]")).to_have_text("This notification was deleted.")
    complaints[:] = [text for text in complaints if "404" not in text]


def test_a_list_that_cannot_be_read_says_so_and_keeps_what_it_knew(
    open_queue: OpenPage, send: Send, complaints: list[str]
) -> None:
    send("pager", title="Known", send_at=LATER)
    page = open_queue()
    expect(page.locator(".delivery")).to_have_count(1)
    page.route("**/api/deliveries*", lambda route: route.abort())
    send("pager", title="Unknown", send_at=LATER)
    expect(page.locator("[data-fault]")).to_contain_text("What you see is from")
    expect(page.locator(".delivery-title")).to_have_text(["Known"])
    page.unroute_all()
    send("pager", title="New", send_at=LATER)
    expect(page.locator("[data-fault]")).to_be_hidden()
    expect(page.locator(".delivery-title")).to_have_text(["New", "Unknown", "Known"])
    complaints.clear()


def test_many_changes_are_read_at_most_once_a_second(open_queue: OpenPage, send: Send) -> None:
    page = open_queue()
    read: list[float] = []
    page.on("request", lambda request: "/api/deliveries?" in request.url and read.append(time.monotonic()))
    began = time.monotonic()
    for number in range(30):
        send("pager", title=f"Number {number}", send_at=LATER)
    expect(page.locator('.states-one[data-state="pending"] [data-count]')).to_have_text("30")
    assert 1 <= len(read) <= time.monotonic() - began + 2


def test_a_retry_by_hand_is_delivered_without_a_reload(
    open_queue: OpenPage, provider: Sink, send: Send, program: httpx.Client
) -> None:
    provider.script.append(Answer(503, "in a moment"))
    number = send("pager")
    wait_until(
        lambda: (
            program.get(f"/api/notifications/{number}").json()["data"]["deliveries"][0]["status"]
            == "retrying"
        )
    )
    page = open_queue()
    row = page.locator('.delivery[data-state="retrying"]')
    expect(row.locator(".delivery-next")).to_contain_text("Next attempt in")
    row.get_by_role("button", name="Retry now").click()
    expect(page.locator(".delivery")).to_have_count(0)
    assert page.evaluate("window.same_page") is True


@pytest.mark.parametrize("locale", ["en-US", "zh-CN"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_narrow_phone_never_scrolls_sideways(
    open_queue: OpenPage, provider: Sink, send: Send, locale: str, scheme: str
) -> None:
    provider.script.append(Answer(400, "x" * 400))
    failed = send("chat", title="Severance.S02E04.2160p." * 8, message="y" * 500)
    send("pager", send_at=LATER)
    page = open_queue(width=360, locale=locale, color_scheme=scheme)
    expect(page.locator('.delivery[data-state="dead"]')).to_have_count(1)
    assert _fits(page)
    page.locator('.delivery[data-state="dead"] .delivery-title').click()
    page.locator("[data-drawer] summary").click()
    drawer = page.locator("[data-drawer]")
    assert drawer.evaluate("(one) => one.scrollWidth <= one.clientWidth && one.offsetWidth <= innerWidth")
    page.screenshot(path=f"artefacts/drawer-360-{locale}-{scheme}.png")
    page.goto(f"/notifications/{failed}")
    assert _fits(page)


def _fits(page: Page) -> bool:
    root = "document.documentElement"
    fits: bool = page.evaluate(f"{root}.scrollWidth <= {root}.clientWidth")
    return fits


def _tab_to(page: Page, target: Any) -> None:
    for _ in range(40):
        page.keyboard.press("Tab")
        if target.evaluate("(one) => one === document.activeElement"):
            return
    pytest.fail("not reached by Tab")


def channel(program: httpx.Client, name: str, url: str, **fields: Any) -> None:
    """Make a webhook channel."""
    settings = {"url": url, "secret": SECRET}
    body = {"name": name, "kind": "webhook", "settings": settings, **fields}
    answer = program.post("/api/channels", json=body)
    assert answer.status_code == 201, answer.text
