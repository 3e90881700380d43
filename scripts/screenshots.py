"""Take the pictures in docs/images: the real VabHub over a made-up media folder and a real qBittorrent.

What a machine collects in an hour is written into its database beforehand; all else is live.
"""

from __future__ import annotations

import math
import random
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.support import qbittorrent, torrents  # noqa: E402
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
        remember_an_hour(stack.data_dir / "vabhub.db")
        wait_for_numbers(stack)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGS)
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


def remember_an_hour(database: Path) -> None:
    """Write an hour of a small home server's numbers into the history, with one gap."""
    chance = random.Random(7)
    now = int(time.time()) // 60 * 60
    memory = psutil.virtual_memory().percent
    rows = []
    for minute in range(1, 61):
        if 31 <= minute <= 36:
            continue
        wave = math.sin(minute / 7) + 0.5 * math.sin(minute / 2.3)
        values = {
            "cpu_usage": 24 + 11 * wave + chance.uniform(0, 6),
            "memory_usage": memory + 0.3 * math.sin(minute / 9) + chance.uniform(0, 0.1),
            "network_recv_bps": max(2e5, 1.1e6 * (1 + wave) + chance.uniform(0, 3e5)),
            "network_sent_bps": 2.4e5 + chance.uniform(0, 1.5e5),
        }
        at = now - minute * 60
        rows += [(series, 60, at, value, value, value, 30) for series, value in values.items()]
    with sqlite3.connect(database, timeout=10) as connection:
        connection.executemany(
            "INSERT OR REPLACE INTO metric_point (series, tier_s, at, min, avg, max, n)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            rows,
        )


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
        context.close()


def save(page: Page, name: str, *, whole: bool) -> None:
    """Write one picture."""
    page.screenshot(path=IMAGES / f"{name}.png", full_page=whole)
    print(f"docs/images/{name}.png")


if __name__ == "__main__":
    main()
