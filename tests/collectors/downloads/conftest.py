"""A real qBittorrent a module, and a clock that tests move."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.qbittorrent import QBittorrentServer, running_qbittorrent
from vabhub.collectors.downloads import credentials, forget_collectors


@pytest.fixture(scope="session")
def qbittorrent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[QBittorrentServer]:
    """The qBittorrent that tests share; those that stop or are banned by one start their own."""
    with running_qbittorrent(tmp_path_factory.mktemp("qbittorrent")) as server:
        yield server


@pytest.fixture(autouse=True)
def _fresh_memory(redis: None) -> Iterator[None]:
    """No collector and no refused password from another test."""
    forget_collectors()
    credentials._refused.clear()
    yield
    forget_collectors()
    credentials._refused.clear()


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
