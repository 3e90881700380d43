"""Take the pictures in docs/images: the real VabHub over a made-up media folder and a real qBittorrent.

The hour of history is demo data, written into the database beforehand and drawn around what this machine
measures just then, so that it runs into the live numbers without a jump. The notifications are made up too;
their deliveries are real ones, to a provider on loopback that refuses some. All else is live.
"""

from __future__ import annotations

import math
import random
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.support import qbittorrent, torrents  # noqa: E402
from tests.support.sink import Answer, Sink  # noqa: E402
from tests.support.stack import Stack  # noqa: E402

IMAGES = ROOT / "docs" / "images"
ARGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync")

FILMS = """\
Dune Part Two (2024) 2160p|Oppenheimer (2023) 2160p|Past Lives (2023) 1080p|Perfect Days (2023) 1080p
Anatomy of a Fall (2023) 1080p|The Boy and the Heron (2023) 2160p|Aliens (1986) 2160p|Heat (1995) 1080p
In the Mood for Love (2000) 1080p|Spirited Away (2001) 1080p|Yi Yi (2000) 1080p|Paprika (2006) 1080p"""
SHOWS = {"Severance": 19, "Slow Horses": 24, "The Bear": 28, "Three-Body": 30, "Shogun": 10}
ANIME = {"Sousou no Frieren": 28, "Vinland Saga": 24, "Mushishi": 26}
NOTES = (
    ("Scan finished", "/media/movies: 12 films, 3 of them new.", "info"),
    ("Dune: Part Two", "Added to Movies in 2160p.", "success"),
    ("Disk almost full", "/mnt/downloads is 92 % full. 310 GiB are left.", "warning"),
    ("下载完成", "三体 S01 已下载完成，共 30 集。", "success"),
)
SERIES = ("cpu_usage", "memory_usage", "network_recv_bps", "network_sent_bps")
# What is sent, how many attempts to wait for, what the provider answers
QUEUE: tuple[tuple[dict[str, Any], int, list[Answer]], ...] = (
    (
        {"title": "Severance S02E04 was added", "message": "In the library in 2160p.", "type": "success"}
        | {"channels": ["family-chat"]},
        1,
        [Answer(400, {"ok": False, "description": "Bad Request: chat not found"})],
    ),
    (
        {"title": "Disk almost full on /mnt/downloads", "message": "92 % full. 310 GiB are left."}
        | {"type": "warning", "priority": "high", "channels": ["ops-pager", "living-room"]},
        4,
        [
            Answer(503, "upstream is restarting"),
            Answer(200),
            Answer(500, "still restarting"),
            Answer(503, "upstream is restarting"),
        ],
    ),
    (
        {"title": "下载完成", "message": "三体 S01 已下载完成，共 30 集。", "channels": ["family-chat"]},
        1,
        [Answer(400, {"ok": False, "description": "Bad Request: chat not found"})],
    ),
    (
        {"title": "Weekly summary", "message": "What was added this week.", "send_at": "2026-11-29T18:00:00Z"}
        | {"channels": ["living-room"]},
        0,
        [],
    ),
)
# name, viewport, theme, language, scale, whole page
SHOTS = (
    ("overview-light", (1440, 900), "light", "en-US", 1, True),
    ("overview-dark", (1440, 900), "dark", "en-US", 1, True),
    ("overview-zh-light", (1440, 900), "light", "zh-CN", 1, True),
    ("overview-zh-dark", (1440, 900), "dark", "zh-CN", 1, True),
    ("phone-light", (390, 844), "light", "en-US", 2, False),
    ("phone-dark", (390, 844), "dark", "zh-CN", 2, False),
    ("tablet-dark", (1180, 820), "dark", "en-US", 1, False),
)


def main() -> None:
    """Start all, take every picture, end all."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="nas-") as name, ExitStack() as exits:
        directory = Path(name)
        settings = make_library(directory) | exits.enter_context(downloads(directory))
        stack = exits.enter_context(Stack(directory, **settings))
        wait_for_numbers(stack)
        sink = Sink().start()
        exits.callback(sink.stop)
        fill_queue(stack.signed_in(), sink)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGS)
            remember_an_hour(stack, browser)
            take_all(stack, browser)
            browser.close()


def make_library(directory: Path) -> dict[str, str]:
    """Create media files that weigh nothing on the disk; return the settings that name them."""
    roots = {kind: directory / kind for kind in ("movies", "tv", "anime")}
    for line in FILMS.replace("\n", "|").split("|"):
        sparse(roots["movies"] / f"{line}.mkv", 14 if "2160p" in line else 7)
    for kind, shows in (("tv", SHOWS), ("anime", ANIME)):
        for show, count in shows.items():
            for number in range(1, count + 1):
                sparse(roots[kind] / show / f"{show} S01E{number:02d} 1080p.mkv", 2)
    return {"VABHUB_MEDIA_ROOTS": ",".join(f"{path}:{kind}" for kind, path in roots.items())}


def sparse(path: Path, gib: int) -> None:
    """Create a file that is all hole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.truncate(gib * 1024**3)


@contextmanager
def downloads(directory: Path) -> Iterator[dict[str, str]]:
    """Run a qBittorrent with a few torrents; without the program, leave the tile unconfigured."""
    if not shutil.which("qbittorrent-nox"):
        print("qbittorrent-nox is not installed: the downloads tile stays empty")
        yield {}
        return
    place = directory / "qbittorrent"
    place.mkdir()
    content = bytes(160 * 1024 * 1024)
    with (
        qbittorrent.running_qbittorrent(place) as server,
        torrents.web_seed(content, bytes_per_s=900_000) as quick,
        torrents.web_seed(content[: 24 * 1024 * 1024], bytes_per_s=240_000) as slow,
    ):
        small = content[: 24 * 1024 * 1024]
        server.add(torrents.make_torrent("Past.Lives.2023.1080p.BluRay.x264-GROUP.mkv", content, quick))
        server.add(torrents.make_torrent("[SubsPlease] Sousou no Frieren - 28 (1080p).mkv", small, slow))
        server.add(torrents.make_torrent("三体.Three.Body.2023.S01.2160p.WEB-DL.H265", small + b"1"))
        server.add(
            torrents.make_torrent("Blue.Eye.Samurai.S01.1080p.NF.WEB-DL", small + b"2"), is_paused=True
        )
        yield {
            "VABHUB_QBITTORRENT_URL": server.url,
            "VABHUB_QBITTORRENT_USERNAME": qbittorrent.USERNAME,
            "VABHUB_QBITTORRENT_PASSWORD": qbittorrent.PASSWORD,
        }


def remember_an_hour(stack: Stack, browser: Browser) -> None:
    """Write an hour of demo numbers into the history, with one gap, that ends at what is measured now."""
    chance = random.Random(7)
    now = int(time.time()) // 60 * 60
    level = measured(stack, browser)
    rows = []
    for minute in range(61):
        if 31 <= minute <= 36:
            continue
        # None of it at the newest minute, all of it a quarter of an hour before: the line does not jump.
        away = min(1.0, minute / 15)
        wave = away * (math.sin(minute / 7) + 0.5 * math.sin(minute / 2.3))
        room = min(level["cpu_usage"], 100 - level["cpu_usage"])
        values = {
            "cpu_usage": level["cpu_usage"] + room * (0.4 * wave + away * chance.uniform(-0.1, 0.1)),
            "memory_usage": level["memory_usage"] + 0.3 * wave + chance.uniform(0, 0.1),
            "network_recv_bps": level["network_recv_bps"] * (1 + 0.5 * wave + chance.uniform(0, 0.2)),
            "network_sent_bps": level["network_sent_bps"] * (1 + 0.3 * wave + chance.uniform(0, 0.4)),
        }
        at = now - minute * 60
        rows += [(60, at, value, value, value, 30, series) for series, value in values.items()]
    with sqlite3.connect(stack.data_dir / "vabhub.db", timeout=10) as connection:
        connection.executemany(
            "INSERT OR IGNORE INTO metric_series (name, last_at) VALUES (?, ?)",
            [(one, now) for one in SERIES],
        )
        connection.executemany(
            "INSERT OR REPLACE INTO metric_point (tier_s, at, min, avg, max, n, series_id)"
            " SELECT ?, ?, ?, ?, ?, ?, id FROM metric_series WHERE name = ?",
            rows,
        )


def measured(stack: Stack, browser: Browser) -> dict[str, float]:
    """Return what VabHub reads of this machine while a browser looks at it, as in the pictures."""
    client, context = stack.signed_in(), browser.new_context()
    secret = client.cookies["vabhub_session"]
    context.add_cookies([{"name": "vabhub_session", "value": secret, "url": stack.base_url}])
    page, readings = context.new_page(), []
    for _ in range(6):  # reloads too: opening the page is what costs the most
        page.goto(stack.base_url)
        page.wait_for_timeout(2000)
        readings.append(page.request.get(f"{stack.base_url}/api/dashboard/system-stats").json()["data"])
    context.close()
    return {name: sum(one[name] or 0 for one in readings) / len(readings) for name in SERIES}


def fill_queue(client: httpx.Client, sink: Sink) -> None:
    """Send notifications that end in every state, over channels that the sink answers or refuses."""
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    limits: dict[str, dict[str, Any]] = {
        "family-chat": {"max_attempts": 1},
        "living-room": {},
        "ops-pager": {"retry_schedule_s": [1, 2, 900]},
    }
    for name, more in limits.items():
        settings = {"url": f"{sink.url}/{name}", "secret": secret}
        client.post("/api/channels", json={"name": name, "kind": "webhook", "settings": settings, **more})
    for body, attempts, answers in QUEUE:
        sink.script.extend(answers)
        sent = client.post("/api/notifications", json=body).json()["data"]["id"]
        wait_for(partial(has_attempts, client, sent, attempts))


def has_attempts(client: httpx.Client, notification_id: int, wanted: int) -> bool:
    """Return whether so many attempts have ended."""
    found = client.get(f"/api/notifications/{notification_id}").json()["data"]["deliveries"]
    return sum(attempt["outcome"] is not None for row in found for attempt in row["attempts"]) >= wanted


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait up to a minute."""
    deadline = time.monotonic() + 60
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit("the queue was not filled within a minute")
        time.sleep(0.2)


def wait_for_numbers(stack: Stack) -> None:
    """Send the notifications and wait until the library is counted."""
    client = stack.signed_in()
    for title, message, kind in NOTES:
        client.post("/api/notifications", json={"title": title, "message": message, "type": kind})
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        dashboard = client.get("/api/dashboard/").json()["data"]
        states = [scan["state"] for scan in dashboard.get("library_scans") or []]
        counted = (dashboard.get("media_stats") or {}).get("total_movies")
        if counted and states and all(state == "done" for state in states):
            return
        time.sleep(1)
    raise SystemExit("the library was not counted within two minutes")


def take_all(stack: Stack, browser: Browser) -> None:
    """Take every picture: the overview in its sizes, the bell, and signing in."""
    secret = stack.signed_in().cookies["vabhub_session"]
    cookie = {"name": "vabhub_session", "value": secret, "url": stack.base_url}
    for name, (width, height), scheme, locale, scale, whole in SHOTS:
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=scheme,
            locale=locale,
            device_scale_factor=scale,
            reduced_motion="reduce",
        )
        page = context.new_page()
        if scheme == "light" and locale == "en-US" and scale == 1:
            page.goto(f"{stack.base_url}/login")
            save(page, "login-light", whole=False)
        context.add_cookies([cookie])
        page.goto(stack.base_url)
        page.wait_for_selector('[data-conn][data-state="live"]')
        page.wait_for_timeout(4500)
        save(page, name, whole=whole)
        if name in {"overview-light", "phone-dark"}:
            page.click("[data-bell]")
            page.wait_for_timeout(800)
            save(page, f"bell-{scheme}", whole=False)
            page.keyboard.press("Escape")
        if name in {"overview-light", "overview-dark"}:
            take_queue(page, stack, scheme)
        context.close()


def take_queue(page: Page, stack: Stack, scheme: str) -> None:
    """Take the queue, and in light the drawer over it with what was answered opened."""
    page.goto(f"{stack.base_url}/queue")
    page.wait_for_selector('[data-conn][data-state="live"]')
    page.wait_for_timeout(2500)
    save(page, f"queue-{scheme}", whole=True)
    if scheme == "light":
        page.locator(".delivery-title", has_text="Disk almost full").click()
        page.locator("[data-drawer] summary").first.click()
        page.locator("[data-drawer] .detail-title").focus()
        page.wait_for_timeout(400)
        save(page, "drawer-light", whole=False)


def save(page: Page, name: str, *, whole: bool) -> None:
    """Write one picture."""
    page.screenshot(path=IMAGES / f"{name}.png", full_page=whole)
    print(f"docs/images/{name}.png")


if __name__ == "__main__":
    main()
