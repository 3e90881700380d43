"""A program on loopback that is started, waited for, and ended for good."""

from __future__ import annotations

import os
import socket
import subprocess
from pathlib import Path
from typing import Self

from tests.support.waiting import wait_until


class Daemon:
    """One program with a directory and a port of its own; `start` and `stop` keep both."""

    def __init__(self, directory: Path, port: int) -> None:
        self.directory = directory
        self.downloads = directory / "downloads"
        self.downloads.mkdir(parents=True, exist_ok=True)
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self._process: subprocess.Popen[bytes] | None = None

    def command(self) -> list[str]:
        """Return what is run, in the foreground."""
        raise NotImplementedError

    def start(self) -> None:
        """Start the program and wait until it listens."""
        with (self.directory / "output.log").open("ab") as output:
            self._process = subprocess.Popen(
                self.command(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**os.environ, "HOME": str(self.directory)},
            )
        wait_until(self._listens, timeout_s=30, what=f"{self.command()[0]} listens")

    def stop(self) -> None:
        """End the program as a user would, hard when it does not follow."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _listens(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            raise RuntimeError((self.directory / "output.log").read_text(errors="replace"))
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0
