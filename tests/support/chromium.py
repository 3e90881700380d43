"""The real Chromium, headless, from the distribution."""

from __future__ import annotations

from playwright.sync_api import Browser, Playwright

_PROGRAM = "/usr/bin/chromium"
_ARGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def launch(playwright: Playwright) -> Browser:
    """Start it."""
    return playwright.chromium.launch(executable_path=_PROGRAM, args=_ARGS)
