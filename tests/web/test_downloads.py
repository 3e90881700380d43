"""Downloads over REST: the list, and a real Transmission that does what it is told."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from sqlalchemy import select

from tests.contracts.downloads.fakes import FakeAria2, FakeSabnzbd, as_json
from tests.support.downloads import collect_all
from tests.support.scripted_http import answer, scripted_http
from tests.support.torrents import make_torrent
from tests.support.transmission import PASSWORD, USERNAME, TransmissionServer
from tests.support.waiting import wait_until
from tests.web.conftest import CookieClient
from vabhub.collectors.downloads import credentials, forget_collectors
from vabhub.collectors.downloads.refresh import Hurry
from vabhub.collectors.publish import publish_snapshot
from vabhub.db import reading
from vabhub.models import Activity
from vabhub.settings import Settings, use_settings


@pytest.fixture(scope="module")
def transmission(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TransmissionServer]:
    """A real Transmission with nothing in it."""
    with TransmissionServer(tmp_path_factory.mktemp("transmission")) as server:
        yield server


@pytest.fixture(autouse=True)
def _fresh_memory(redis: None) -> Iterator[None]:
    credentials._refused.clear()
    yield
    credentials._refused.clear()
    forget_collectors()


@pytest.fixture
def connected(app: Flask, sqlite: Settings, transmission: TransmissionServer) -> Settings:
    """Settings that name the Transmission."""
    login = {"transmission_username": USERNAME, "transmission_password": PASSWORD}
    chosen = sqlite.model_copy(update={"transmission_url": transmission.url, **login})
    use_settings(chosen)
    return chosen


def _add(server: TransmissionServer, settings: Settings, name: str) -> dict[str, str]:
    """Add a torrent that cannot be had, and return what names it once it has settled."""
    server.add(make_torrent(name, os.urandom(70_000)))
    (server.downloads / name).write_bytes(b"something")
    # A pause that comes while a new torrent is still being checked is undone by the start that follows.
    wait_until(lambda: _listed(settings).get(name, {}).get("state") == "stalled")
    return _listed(settings)[name]


def _listed(settings: Settings) -> dict[str, dict[str, str]]:
    snapshot = collect_all(settings)
    publish_snapshot(snapshot)
    assert snapshot.data is not None
    return {item["name"]: item for item in snapshot.data["items"]}


def _target(item: dict[str, str]) -> dict[str, str]:
    return {"instance": item["instance"], "id": item["id"]}


def test_a_download_is_paused_resumed_and_deleted_with_its_files_only_when_asked(
    connected: Settings,
    transmission: TransmissionServer,
    token: Callable[..., dict[str, str]],
    client: CookieClient,
) -> None:
    hurry = Hurry()
    item = _add(transmission, connected, "wanted.bin")
    body, headers = {"items": [_target(item)]}, token("control")
    for action, state in (("pause", "paused"), ("resume", "stalled")):
        done = client.post(f"/api/downloads/{action}", json=body, headers=headers)
        assert done.status_code == 200, done.text
        assert hurry.is_due()
        assert (done.get_json()["data"]["done"], done.get_json()["data"]["failed"]) == (1, 0)
        wait_until(lambda state=state: _listed(connected)["wanted.bin"]["state"] == state)
    assert client.post("/api/downloads/delete", json=body, headers=headers).status_code == 200
    wait_until(lambda: "wanted.bin" not in _listed(connected))
    assert (transmission.downloads / "wanted.bin").exists()
    item = _add(transmission, connected, "gone.bin")
    body = {"items": [_target(item)], "delete_files": True}  # type: ignore[dict-item]
    assert client.post("/api/downloads/delete", json=body, headers=headers).status_code == 200
    wait_until(lambda: "gone.bin" not in _listed(connected))
    wait_until(lambda: not (transmission.downloads / "gone.bin").exists())
    with reading() as session:
        rows = session.scalars(select(Activity).order_by(Activity.id)).all()
    kinds = [row.kind for row in rows]
    assert kinds == ["download.paused", "download.resumed", "download.deleted", "download.deleted"]
    assert rows[-1].data is not None
    assert (rows[-1].data["by"], rows[-1].data["names"], rows[-1].data["delete_files"]) == (
        "token 1",
        ["gone.bin"],
        True,
    )


def test_only_control_may_do_it(token: Callable[..., dict[str, str]], client: CookieClient) -> None:
    body = {"items": [{"instance": "transmission", "id": "a" * 40}]}
    for action in ("pause", "resume", "delete"):
        assert client.post(f"/api/downloads/{action}", json=body).status_code == 401
        refused = client.post(f"/api/downloads/{action}", json=body, headers=token("read", "notify"))
        assert refused.status_code == 403


@pytest.mark.parametrize("word", ["all", "recently-active", "0", "a" * 39])
def test_a_word_that_stands_for_many_deletes_nothing(
    connected: Settings,
    transmission: TransmissionServer,
    token: Callable[..., dict[str, str]],
    client: CookieClient,
    word: str,
) -> None:
    transmission.add(make_torrent(f"kept {word}.bin", os.urandom(70_000)), paused=True)
    body = {"items": [{"instance": "transmission", "id": word}]}
    done = client.post("/api/downloads/delete", json=body, headers=token("control"))
    assert done.status_code == 409
    assert transmission.call("torrent-get", fields=["id"])["torrents"]


def test_what_cannot_be_done_says_why(
    app: Flask, sqlite: Settings, token: Callable[..., dict[str, str]], client: CookieClient
) -> None:
    headers = token("control")
    with scripted_http(FakeAria2().script) as (url, asked):
        use_settings(sqlite.model_copy(update={"aria2_url": url, "aria2_secret": "a secret"}))
        items = [{"instance": "aria2", "id": "1"}]
        refused = client.post(
            "/api/downloads/delete", json={"items": items, "delete_files": True}, headers=headers
        )
        assert (refused.status_code, refused.get_json()["error_code"]) == (409, "CONFLICT")
        assert asked == []
    away = client.post("/api/downloads/pause", json={"items": items}, headers=headers)
    assert (away.status_code, away.get_json()["error_code"]) == (503, "UNAVAILABLE")
    assert "Nothing listens" in away.get_json()["error_message"]
    unknown = client.post(
        "/api/downloads/pause", json={"items": [{"instance": "x", "id": "1"}]}, headers=headers
    )
    assert unknown.status_code == 404
    with reading() as session:
        kinds = session.scalars(select(Activity.kind)).all()
    assert kinds == ["download.delete_failed", "download.pause_failed"]


def test_one_of_two_is_told_apart(
    app: Flask, sqlite: Settings, token: Callable[..., dict[str, str]], client: CookieClient
) -> None:
    gone = as_json({"status": True, "nzo_ids": ["SABnzbd_nzo_1"]})
    with scripted_http(lambda _path: gone) as (url, _):
        use_settings(sqlite.model_copy(update={"sabnzbd_url": url, "sabnzbd_api_key": "a secret"}))
        items = [{"instance": "sabnzbd", "id": f"SABnzbd_nzo_{number}"} for number in (1, 2)]
        body = {"items": items, "delete_files": True}
        done = client.post("/api/downloads/delete", json=body, headers=token("control")).get_json()
    assert (done["data"]["done"], done["data"]["failed"]) == (1, 1)
    assert [row["error"] for row in done["data"]["results"]] == [
        None,
        "SABnzbd keeps the files of what is finished.",
    ]


def test_the_list_is_filtered_sorted_and_paged(
    app: Flask, sqlite: Settings, token: Callable[..., dict[str, str]], client: CookieClient
) -> None:
    fake, headers = FakeSabnzbd(), token("read")
    names = ("b film", "A Film", "c series")
    with scripted_http(fake.script) as (url, _):
        chosen = sqlite.model_copy(update={"sabnzbd_url": url, "sabnzbd_api_key": "a secret"})
        use_settings(chosen)
        fake.history.extend(
            {"nzo_id": f"h{n}", "name": name, "status": "Completed", "bytes": n}
            for n, name in enumerate(names)
        )
        publish_snapshot(collect_all(chosen))
        fake.history.clear()

        def found(query: str) -> list[str]:
            page = client.get(f"/api/downloads?{query}", headers=headers).get_json()["data"]
            return [item["name"] for item in page["items"]]

        assert found("state=completed") == ["A Film", "b film", "c series"]
        assert found("q=FILM&sort=size_bytes&order=desc") == ["film", "A Film", "b film"]
        assert found("state=completed&page=2&page_size=2") == ["c series"]
        assert found("instance=nobody") == []
        assert client.get("/api/downloads?sort=nonsense", headers=headers).status_code == 422


def test_answers_of_a_broken_client_are_no_500(
    app: Flask, sqlite: Settings, token: Callable[..., dict[str, str]], client: CookieClient
) -> None:
    with scripted_http(lambda _path: answer(200, b"<html>")) as (url, _):
        use_settings(sqlite.model_copy(update={"nzbget_url": url, "nzbget_password": "x"}))
        body = {"items": [{"instance": "nzbget", "id": "1"}]}
        done = client.post("/api/downloads/pause", json=body, headers=token("control"))
    assert done.status_code == 503
