"""A real qBittorrent a module, and a clock that tests move."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.support.aria2 import SECRET, Aria2Server
from tests.support.nntp import NewsServer, news_server
from tests.support.nzbget import NzbgetServer
from tests.support.qbittorrent import QBittorrentServer, running_qbittorrent
from tests.support.transmission import TransmissionServer
from vabhub.collectors.downloads import (
    ClientConfig,
    ClientKind,
    DownloadItem,
    QBittorrentCollector,
    credentials,
    forget_collectors,
)
from vabhub.collectors.downloads.collector import ClientCollector
from vabhub.collectors.downloads.config import from_settings
from vabhub.collectors.downloads.kinds import COLLECTORS
from vabhub.settings import Settings


@pytest.fixture(scope="session")
def qbittorrent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[QBittorrentServer]:
    """The qBittorrent that tests share; those that stop or are banned by one start their own."""
    with running_qbittorrent(tmp_path_factory.mktemp("qbittorrent")) as server:
        yield server


@pytest.fixture(scope="session")
def transmission(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TransmissionServer]:
    """The Transmission that tests share."""
    with TransmissionServer(tmp_path_factory.mktemp("transmission")) as server:
        yield server


@pytest.fixture(scope="session")
def aria2(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aria2Server]:
    """The aria2 that tests share."""
    with Aria2Server(tmp_path_factory.mktemp("aria2")) as server:
        yield server


@pytest.fixture(scope="session")
def news() -> Iterator[NewsServer]:
    """The news server that NZBGet reads from."""
    with news_server() as server:
        yield server


@pytest.fixture(scope="session")
def nzbget(tmp_path_factory: pytest.TempPathFactory, news: NewsServer) -> Iterator[NzbgetServer]:
    """The NZBGet that tests share."""
    with NzbgetServer(tmp_path_factory.mktemp("nzbget"), news.port) as server:
        yield server


def config_of(
    server: TransmissionServer | Aria2Server | NzbgetServer, name: str = "", **changes: Any
) -> ClientConfig:
    """Return how a real program is reached."""
    kind = {TransmissionServer: "transmission", Aria2Server: "aria2", NzbgetServer: "nzbget"}[type(server)]
    username, secret = ("", SECRET) if kind == "aria2" else ("vabhub", "correct horse")
    config = ClientConfig(ClientKind(kind), name or kind, server.url, username, secret, mend="set VABHUB_X")
    return replace(config, **changes)


def named(collector: ClientCollector, name: str) -> DownloadItem | None:
    """Return the download of that name as the collector reads it now."""
    return next((item for item in collector.read().items if item.name == name), None)


@pytest.fixture(autouse=True)
def _fresh_memory(redis: None) -> Iterator[None]:
    """No collector and no refused password from another test."""
    forget_collectors()
    credentials._refused.clear()
    yield
    forget_collectors()
    credentials._refused.clear()
    while _opened:
        _opened.pop().close()


_opened: list[ClientCollector] = []


def reader(config: ClientConfig, clock: Clock | None = None) -> Any:
    """Return a collector that is closed when the test ends."""
    kind = COLLECTORS[config.kind]
    made = kind(config, monotonic=clock) if clock else kind(config)
    _opened.append(made)
    return made


class Clock:
    """A monotonic clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """A clock for the pauses between attempts."""
    return Clock()


def qbittorrent_at(
    url: str, username: str, password: str | None, *, instance: str = "qbittorrent", **options: Any
) -> QBittorrentCollector:
    """Return a collector as the environment's settings make it."""
    named = {"qbittorrent_url": url, "qbittorrent_username": username, "qbittorrent_password": password}
    settings = Settings().model_copy(update=named)
    (config,) = from_settings(settings)
    return QBittorrentCollector(replace(config, name=instance), **options)
