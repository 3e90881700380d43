"""A real Chromium on the whole real stack. What the browser complains about fails the test."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, StorageState, sync_playwright

from tests.support import chromium
from tests.support.ports import free_port
from tests.support.stack import PASSWORD, USER, Stack

ARTEFACTS = Path(__file__).parents[2] / "artefacts"
OpenPage = Callable[..., Page]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything in this folder."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("browser")


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """All processes, a media folder with two films, and a download client that does not answer."""
    directory = tmp_path_factory.mktemp("stack")
    films = directory / "films"
    films.mkdir()
    for name in ("Dune.2021.2160p.mkv", "Aliens.1986.1080p.mkv"):
        (films / name).write_bytes(b"film")
    with Stack(
        directory,
        VABHUB_MEDIA_ROOTS=f"{films}:movies",
        VABHUB_QBITTORRENT_URL=f"http://127.0.0.1:{free_port()}",
        VABHUB_QBITTORRENT_PASSWORD="unused",
    ) as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser; every test opens a context of its own in it."""
    with sync_playwright() as playwright:
        running = chromium.launch(playwright)
        yield running
        running.close()


@pytest.fixture
def complaints() -> Iterator[list[str]]:
    """Everything the browser complained about; a test may take away what it provoked."""
    found: list[str] = []
    yield found
    assert not found, found


@pytest.fixture
def open_page(
    stack: Stack, browser: Browser, complaints: list[str], request: pytest.FixtureRequest
) -> Iterator[OpenPage]:
    """Opens a path in a fresh browser profile: `open_page("/login", locale="zh-CN", color_scheme="dark")`."""
    contexts: list[BrowserContext] = []

    def open_one(path: str, *, width: int = 1280, cookies: Sequence[Any] = (), **options: Any) -> Page:
        options.setdefault("locale", "en-US")
        viewport: Any = {"width": width, "height": 800}
        context = browser.new_context(base_url=stack.base_url, viewport=viewport, **options)
        contexts.append(context)
        context.add_cookies(cookies)
        page = context.new_page()
        page.set_default_timeout(15_000)
        listen(page, complaints)
        page.goto(path)
        return page

    yield open_one
    for number, context in enumerate(contexts):
        _keep_picture(context, f"{request.node.name}-{number}")
        context.close()


@pytest.fixture(scope="module")
def session(stack: Stack) -> StorageState:
    """One sign-in that most tests share: signing in is slow on purpose, and limited."""
    secret = stack.signed_in().cookies["vabhub_session"]
    return {"cookies": [{"name": "vabhub_session", "value": secret, "url": stack.base_url}], "origins": []}


@pytest.fixture
def open_overview(open_page: OpenPage, session: StorageState) -> OpenPage:
    """Opens the overview, signed in, and waits until it is live."""

    def open_one(**options: object) -> Page:
        page = open_page("/", cookies=session["cookies"], **options)
        page.wait_for_selector('[data-conn][data-state="live"]')
        return page

    return open_one


def sign_in(page: Page) -> None:
    """Sign in through the form."""
    page.fill("#username", USER)
    page.fill("#password", PASSWORD)
    page.click('button[type="submit"]')
    page.wait_for_url("**/")


def listen(page: Page, complaints: list[str]) -> None:
    """Collect console errors (policy violations are such) and uncaught exceptions."""
    page.on("console", lambda message: message.type == "error" and complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))


def _keep_picture(context: BrowserContext, name: str) -> None:
    ARTEFACTS.mkdir(exist_ok=True)
    for page in context.pages:
        page.screenshot(path=ARTEFACTS / f"{re.sub(r'[^A-Za-z0-9_-]+', '-', name)}.png", full_page=True)
