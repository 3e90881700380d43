"""One VabHub a data directory: a file lock that the kernel takes back when its holder is gone."""

from __future__ import annotations

import fcntl
import json
import os
from pathlib import Path

from vabhub.errors import Conflict, SettingsError


class DataLock:
    """The lock on a data directory. The guard process shares it, so it outlives a killed supervisor
    until the last leftover process is gone.
    """

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / "vabhub.lock"
        self._descriptor = -1

    def take(self, url: str) -> None:
        """Lock and write down who we are. Raises Conflict when one is running, naming its URL."""
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._write({"pid": os.getpid(), "url": url})
        except BlockingIOError:
            raise Conflict(self._who()) from None
        except OSError as error:
            raise SettingsError(
                f"VABHUB_DATA_DIR: {self._path.parent} cannot be written to: {error.strerror}. "
                "Choose a directory that this user can write to."
            ) from error

    def _write(self, holder: dict[str, object]) -> None:
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, json.dumps(holder).encode(), 0)

    def _who(self) -> str:
        try:
            holder = json.loads(os.pread(self._descriptor, 1024, 0))
            return f"VabHub is already running at {holder['url']} (process {holder['pid']})."
        except (ValueError, KeyError, TypeError):
            return f"VabHub is already running on {self._path.parent}."
