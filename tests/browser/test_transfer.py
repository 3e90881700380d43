"""Export and import in a real browser."""

from __future__ import annotations

from pathlib import Path

import httpx
from playwright.sync_api import StorageState, expect

from tests.browser.conftest import OpenPage
from tests.support.stack import Stack

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def test_a_file_goes_out_and_comes_back(
    open_page: OpenPage, stack: Stack, session: StorageState, tmp_path: Path, complaints: list[str]
) -> None:
    program: httpx.Client = stack.signed_in()
    settings = {"url": "http://127.0.0.1:9/", "secret": SECRET}
    body = {"name": "chat", "kind": "webhook", "settings": settings}
    assert program.post("/api/channels", json=body).status_code == 201
    page = open_page("/settings/transfer", cookies=session["cookies"])
    with page.expect_download() as download:
        page.get_by_role("button", name="Download the file").click()
    text = Path(download.value.path()).read_text("utf-8")
    assert "secret: '***'" in text

    page.set_input_files("[data-file]", _file(tmp_path, text))
    expect(page.locator("[data-nothing]")).to_be_visible()
    page.set_input_files("[data-file]", _file(tmp_path, text.replace("kind: webhook", "kind: pigeon")))
    expect(page.locator("[data-faults] li")).to_contain_text("channels.0.kind")
    complaints.clear()  # the browser writes down the refusal
    page.set_input_files("[data-file]", _file(tmp_path, text.replace("enabled: true", "enabled: false")))
    expect(page.locator("[data-changes] li")).to_have_text("Changed channel chat enabled")
    assert program.get("/api/channels/chat").json()["data"]["enabled"] is True
    page.click("[data-take]")
    expect(page.locator(".toast-title")).to_have_text("1 change was made")
    assert program.get("/api/channels/chat").json()["data"]["enabled"] is False
    program.delete("/api/channels/chat")


def _file(folder: Path, text: str) -> Path:
    path = folder / f"{len(list(folder.iterdir()))}.yaml"
    path.write_text(text, "utf-8")
    return path
