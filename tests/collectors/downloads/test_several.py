"""Several clients at once: merged with their instance, and none waits for another."""

from __future__ import annotations

import os
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from typing import Any, ClassVar

from tests.collectors.downloads.conftest import config_of
from tests.contracts.downloads.fakes import FakeNzbget, FakeSabnzbd, FakeTransmission
from tests.support.aria2 import Aria2Server
from tests.support.downloads import collect_all, read_clients
from tests.support.nzbget import NzbgetServer
from tests.support.ports import free_port
from tests.support.scripted_http import scripted_http
from tests.support.torrents import make_torrent
from tests.support.transmission import TransmissionServer
from tests.support.waiting import wait_until
from vabhub.settings import Settings


def test_real_programs_are_merged_each_with_its_instance(
    transmission: TransmissionServer, aria2: Aria2Server, nzbget: NzbgetServer
) -> None:
    transmission.add(make_torrent("merged.bin", os.urandom(70_000)), paused=True)
    configs = [
        config_of(transmission, "one"),
        config_of(transmission, "two"),
        config_of(aria2),
        config_of(nzbget),
    ]

    def read() -> dict[str, object] | None:
        snapshot = read_clients(configs)
        return snapshot.data if snapshot.status == "ok" else None

    data = wait_until(read)
    assert [entry["status"] for entry in data["downloaders"].values()] == ["online"] * 4  # type: ignore[attr-defined]
    assert list(data["downloaders"]) == ["one", "two", "aria2", "nzbget"]  # type: ignore[call-overload]
    merged = [item["instance"] for item in data["items"] if item["name"] == "merged.bin"]  # type: ignore[attr-defined]
    assert merged == ["one", "two"]


def test_a_client_that_hangs_delays_no_other() -> None:
    released = threading.Event()

    def hang(_request: BaseHTTPRequestHandler) -> None:
        released.wait(30)

    fake = FakeNzbget()
    with scripted_http(lambda _path: hang) as (slow, asked), scripted_http(fake.script) as (quick, _):
        configs = [
            replace(FakeTransmission().config(slow), name="slow"),
            replace(fake.config(quick), name="quick"),
        ]
        first = read_clients(configs)
        fake.changes = {"NZBName": "newer"}
        second = read_clients(configs)
        assert not released.is_set()
        released.set()
    assert len(asked) == 1  # one question at a time
    assert first.status == second.status == "stale"
    for snapshot in (first, second):
        assert snapshot.data is not None
        states = {name: entry["status"] for name, entry in snapshot.data["downloaders"].items()}
        assert states == {"slow": "offline", "quick": "online"}
    assert [item["name"] for item in second.data["items"]] == ["newer"]  # type: ignore[index]


def test_odd_entries_are_survived() -> None:
    class Odd(FakeSabnzbd):
        history: ClassVar[list[Any]] = [None, 7, {"nzo_id": "x", "status": []}]

    fake = Odd()
    with scripted_http(fake.script) as (url, _):
        snapshot = read_clients([fake.config(url)])
    assert snapshot.status == "ok" and snapshot.data is not None
    assert [item["state"] for item in snapshot.data["items"]] == ["downloading", "unknown"]


def test_the_environment_names_one_of_each(settings: Settings) -> None:
    changes = {
        "transmission_url": f"http://127.0.0.1:{free_port()}",
        "nzbget_url": f"http://127.0.0.1:{free_port()}",
    }
    snapshot = collect_all(settings.model_copy(update=changes))
    assert (snapshot.status, snapshot.error_code) == ("error", "REFUSED")
    assert snapshot.data is not None
    assert (list(snapshot.data["downloaders"]), snapshot.data["active"]) == (["transmission", "nzbget"], None)
