"""Switching pushes on in the bell, and what the service worker shows, in a real browser.

Chromium's own push service is on the internet, so the browser's `subscribe` is stood in for by one whose
push service is a sink; permission, service worker, our page, API and delivery are the real ones.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Iterator

import http_ece
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from playwright.sync_api import Page

from tests.browser.conftest import OpenPage
from tests.support.sink import Answer, Sink
from tests.support.stack import Stack
from tests.support.waiting import wait_until

KEY = ec.generate_private_key(ec.SECP256R1())
AUTH = b"0123456789abcdef"


@pytest.fixture
def push_service() -> Iterator[Sink]:
    """A push service that takes everything."""
    sink = Sink().start()
    sink.respond = lambda _request: Answer(201, b"")
    yield sink
    sink.stop()


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")


def _stand_in(page: Page, push_service: Sink) -> None:
    point = KEY.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    subscription = {
        "endpoint": f"{push_service.url}/browser",
        "keys": {"p256dh": _text(point), "auth": _text(AUTH)},
    }
    page.add_init_script(
        f"""
        const made = {json.dumps(subscription)};
        made.toJSON = () => ({{ endpoint: made.endpoint, keys: made.keys, expirationTime: null }});
        made.unsubscribe = async () => localStorage.removeItem("made") === undefined;
        PushManager.prototype.getSubscription = async () => (localStorage.getItem("made") ? made : null);
        PushManager.prototype.subscribe = async (options) => {{
          const {{ applicationServerKey: key, userVisibleOnly: visible }} = options;
          globalThis.asked = {{ length: key.length, visible }};
          localStorage.setItem("made", "yes");
          return made;
        }};
        """
    )
    page.reload()
    page.wait_for_selector('[data-conn][data-state="live"]')


def test_a_push_is_switched_on_arrives_and_is_switched_off(
    open_overview: OpenPage, stack: Stack, push_service: Sink
) -> None:
    page = open_overview(permissions=["notifications"])
    _stand_in(page, push_service)
    page.click("[data-bell]")
    page.click('[data-push]:has-text("Notify this browser")')
    page.wait_for_selector('[data-push][data-on="true"]')
    assert page.evaluate("globalThis.asked") == {"length": 65, "visible": True}

    note = {"title": "Disk", "message": "is full", "channels": ["push"]}
    assert stack.signed_in().post("/api/notifications", json=note).status_code == 201
    (request,) = push_service.wait_for(1)
    plain = http_ece.decrypt(request.body, private_key=KEY, auth_secret=AUTH, version="aes128gcm")
    assert json.loads(plain)["body"] == "is full"

    person = stack.signed_in()
    gone = {"endpoint": f"{push_service.url}/browser"}
    assert person.request("DELETE", "/api/push/subscriptions", json=gone).status_code == 200
    page.evaluate("sessionStorage.clear()")  # as in a new tab, after a database was restored
    page.reload()
    wait_until(lambda: len(person.get("/api/push/subscriptions").json()["data"]) == 1, what="its return")

    page.click("[data-bell]")
    page.click('[data-push]:has-text("Stop notifying this browser")')
    page.wait_for_selector('[data-push][data-on="false"]')
    wait_until(lambda: person.get("/api/push/subscriptions").json()["data"] == [], what="the end of it")


def test_the_service_worker_shows_what_was_pushed(open_overview: OpenPage, stack: Stack) -> None:
    page = open_overview(permissions=["notifications"])
    page.evaluate("navigator.serviceWorker.register('/sw.js').then(() => navigator.serviceWorker.ready)")
    devtools = page.context.new_cdp_session(page)
    registrations: list[str] = []
    devtools.on(
        "ServiceWorker.workerRegistrationUpdated",
        lambda told: registrations.extend(
            one["registrationId"] for one in told["registrations"] if not one["isDeleted"]
        ),
    )
    devtools.send("ServiceWorker.enable")
    wait_until(lambda: page.evaluate("1") and bool(registrations), what="the service worker")
    pushed = {"id": "m1", "title": "Disk <b>", "body": "is full", "url": "/queue"}

    def shown() -> dict[str, str] | None:
        # Chromium drops what comes while it still sets the worker up; the same push again changes nothing.
        devtools.send(
            "ServiceWorker.deliverPushMessage",
            {"origin": stack.base_url, "registrationId": registrations[-1], "data": json.dumps(pushed)},
        )
        found: dict[str, str] | None = page.evaluate(
            """async () => {
              const [found] = await (await navigator.serviceWorker.ready).getNotifications();
              const { title, body, tag, data } = found ?? {};
              return found ? { title, body, tag, url: data.url } : null;
            }"""
        )
        return found

    told = wait_until(shown, timeout_s=30, every_s=0.5)
    assert told == {"title": "Disk <b>", "body": "is full", "tag": "m1", "url": "/queue"}


def test_without_permission_it_says_so(open_overview: OpenPage) -> None:
    page = open_overview()
    page.evaluate("Notification.requestPermission = async () => 'denied'")
    page.click("[data-bell]")
    page.click("[data-push]")
    page.wait_for_selector('[data-push-hint]:has-text("does not allow notifications")')
