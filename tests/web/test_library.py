"""The library over REST: scans, corrections, duplicates and pictures."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from tests.collectors.library.trees import make_tree
from tests.web.conftest import CookieClient
from vabhub.collectors.library import media_stats, run_scan, sync_roots
from vabhub.db import reading, transaction
from vabhub.settings import MediaRoot, Settings

JPEG = b"\xff\xd8\xff\xe0" + b"x" * 50
TREE = (
    "tv/Show/Season 1/Show S01E01.mkv",
    "tv/Show/Season 1/<b>odd.mkv",
    "tv/Other/Other.S01E01.720p.mkv",
    "tv/Other/Other.S01E01.1080p.mkv",
)


@pytest.fixture
def root_id(app: Flask, sqlite: Settings, tmp_path: Path) -> int:
    """A scanned root of series."""
    make_tree(tmp_path, TREE)
    (tmp_path / "tv/Show/poster.jpg").write_bytes(JPEG)
    roots = (MediaRoot(path=tmp_path / "tv", kind="tv"),)
    with transaction() as session:
        made = sync_roots(session, sqlite.model_copy(update={"media_roots": roots}))[0]
    run_scan(made)
    return made


def _data(client: CookieClient, path: str) -> Any:
    answer = client.get(f"/api/library/{path}")
    assert answer.status_code == 200, answer.text
    return answer.json["data"]


def _recent(name: str) -> dict[str, Any]:
    with reading() as session:
        found = (media_stats(session).data or {})["recently_added"]
    return next(item for item in found if item["title"] == name)


def test_a_correction_counts_at_once_and_outlives_a_scan(admin_client: CookieClient, root_id: int) -> None:
    [odd] = _data(admin_client, "unparsed")["items"]
    assert odd["path"] == "Show/Season 1/<b>odd.mkv"
    body = {"kind": "episode", "title": "Show", "season": 1, "episode": 2}
    assert admin_client.put(f"/api/library/files/{odd['id']}/override", json=body).status_code == 200
    with reading() as session:
        counts = media_stats(session).data or {}
    assert (counts["total_episodes"], counts["unparsed"]) == (3, 0)
    admin_client.post("/api/library/scan", json={"full": True})
    run_scan(root_id)
    [odd] = _data(admin_client, "unparsed")["items"]
    assert (odd["overridden"], odd["episode"]) == (True, 2)


def test_a_corrected_file_that_changes_stays_corrected(
    admin_client: CookieClient, root_id: int, tmp_path: Path
) -> None:
    [odd] = _data(admin_client, "unparsed")["items"]
    body = {"kind": "movie", "title": "Odd", "year": 1999}
    admin_client.put(f"/api/library/files/{odd['id']}/override", json=body)
    (tmp_path / "tv" / odd["path"]).write_bytes(b"longer than before")
    run_scan(root_id)
    [odd] = _data(admin_client, "unparsed")["items"]
    assert (odd["kind"], odd["title"], odd["year"], odd["size_bytes"]) == ("movie", "Odd", 1999, 18)


def test_a_correction_can_be_taken_back(admin_client: CookieClient, root_id: int) -> None:
    [odd] = _data(admin_client, "unparsed")["items"]
    path = f"/api/library/files/{odd['id']}/override"
    admin_client.put(path, json={"kind": "movie", "title": "Odd"})
    assert admin_client.delete(path).json["data"]["kind"] == "unparsed"
    [odd] = _data(admin_client, "unparsed")["items"]
    assert odd["overridden"] is False


@pytest.mark.parametrize("title", ["", "  ", "two\nlines", "nul\0", "x" * 301])
def test_a_title_that_is_none_is_refused(admin_client: CookieClient, root_id: int, title: str) -> None:
    [odd] = _data(admin_client, "unparsed")["items"]
    answer = admin_client.put(
        f"/api/library/files/{odd['id']}/override", json={"kind": "movie", "title": title}
    )
    assert answer.status_code == 422


def test_copies_of_one_episode_are_told(admin_client: CookieClient, root_id: int) -> None:
    found = _data(admin_client, "duplicates")
    assert found["total"] == 1
    [work] = found["items"]
    assert (work["title"], work["season"], work["episode"]) == ("Other", 1, 1)
    assert [file["quality"] for file in work["files"]] == ["1080p", "720p"]


def test_parts_of_one_film_and_a_copied_disc_are_no_copies(
    admin_client: CookieClient, sqlite: Settings, tmp_path: Path
) -> None:
    paths = ["Film (1999)/Film (1999) cd1.avi", "Film (1999)/Film (1999) cd2.avi"]
    paths += [f"Disc (2001)/BDMV/STREAM/0000{n}.m2ts" for n in range(3)]
    make_tree(tmp_path / "movies", [*paths, "Twice (2005) 720p.mkv", "Twice (2005) 1080p.mkv"])
    roots = (MediaRoot(path=tmp_path / "movies", kind="movies"),)
    with transaction() as session:
        [root_id] = sync_roots(session, sqlite.model_copy(update={"media_roots": roots}))
    run_scan(root_id)
    assert [work["title"] for work in _data(admin_client, "duplicates")["items"]] == ["Twice"]


def test_a_poster_is_served_with_its_type_and_tag(admin_client: CookieClient, root_id: int) -> None:
    address = _recent("Show")["poster"]
    answer = admin_client.get(address)
    assert (answer.status_code, answer.data, answer.content_type) == (200, JPEG, "image/jpeg")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    again = admin_client.get(address, headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert _recent("Other")["poster"] is None


def test_a_poster_needs_a_credential(client: CookieClient, root_id: int) -> None:
    assert client.get(_recent("Show")["poster"]).status_code == 401


@pytest.mark.parametrize("harm", ["link", "folder", "html", "large", "pipe", "gone"])
def test_what_is_no_picture_of_the_root_is_not_served(
    admin_client: CookieClient, root_id: int, tmp_path: Path, harm: str
) -> None:
    address = _recent("Show")["poster"]
    poster, outside = tmp_path / "tv/Show/poster.jpg", tmp_path / "outside.jpg"
    outside.write_bytes(JPEG)
    poster.unlink()
    if harm == "link":
        poster.symlink_to(outside)
    elif harm == "folder":
        shutil.move(tmp_path / "tv/Show", tmp_path / "Show")
        (tmp_path / "Show/poster.jpg").write_bytes(JPEG)
        (tmp_path / "tv/Show").symlink_to(tmp_path / "Show")
    elif harm == "html":
        poster.write_bytes(b"<script>alert(1)</script>")
    elif harm == "large":
        poster.write_bytes(JPEG + b"x" * 9 * 1024**2)
    elif harm == "pipe":
        import os

        os.mkfifo(poster)
    answer = admin_client.get(address)
    assert (answer.status_code, answer.json["error_code"]) == (404, "NOT_FOUND")


def test_a_waiting_scan_can_be_cancelled_once(admin_client: CookieClient, root_id: int) -> None:
    [scan] = admin_client.post("/api/library/scan", json={"root_id": root_id}).json["data"]
    path = f"/api/library/scans/{scan['id']}/cancel"
    assert admin_client.post(path).json["data"]["state"] == "cancelled"
    [scan] = admin_client.post("/api/library/scan", json={"root_id": root_id}).json["data"]
    run_scan(root_id)
    assert admin_client.post(f"/api/library/scans/{scan['id']}/cancel").status_code == 409
    assert admin_client.post("/api/library/scans/999999/cancel").status_code == 404


def test_the_codec_is_read_on_request_or_says_why_not(admin_client: CookieClient, root_id: int) -> None:
    file = _recent("Show")["id"]
    found = _data(admin_client, f"files/{file}/codec")
    assert found["video_codec"] is None
    assert found["reason"]
    assert admin_client.get("/api/library/files/999999/codec").status_code == 404


def test_only_control_may_change_the_library(client: CookieClient, token: Any, root_id: int) -> None:
    headers = token("read")
    for method, path in (
        ("POST", "scans/1/cancel"),
        ("PUT", "files/1/override"),
        ("DELETE", "files/1/override"),
    ):
        answer = client.open(f"/api/library/{path}", method=method, headers=headers, json={})
        assert answer.status_code == 403


def test_a_disk_that_is_away_keeps_its_numbers_until_somebody_says_that_it_is_empty(
    admin_client: CookieClient, root_id: int, tmp_path: Path
) -> None:
    shutil.move(tmp_path / "tv", tmp_path / "unplugged")
    (tmp_path / "tv/lost+found").mkdir(parents=True)
    run_scan(root_id)
    [root] = _data(admin_client, "roots")
    assert (root["status"], root["files"], root["scan"]["state"]) == ("stale", 4, "failed")
    page = admin_client.get("/library", headers={"Accept": "text/html", "Accept-Language": "en"}).text
    assert "The numbers are old" in page
    admin_client.post("/api/library/scan", json={"root_id": root_id, "accept_missing": True})
    run_scan(root_id)
    [root] = _data(admin_client, "roots")
    assert (root["status"], root["files"], root["scan"]["state"]) == ("ok", 0, "done")
