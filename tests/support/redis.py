"""A real Redis for tests, which can be stopped, frozen and started again."""

from __future__ import annotations

import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import redis as client

from tests.support.waiting import wait_until


class RedisServer:
    """redis-server on a unix socket, with AOF like the embedded one."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        # sun_path holds 107 bytes; pytest's directories can be longer.
        self._socket_dir = Path(tempfile.mkdtemp(prefix="vabhub-redis-"))
        self.socket = self._socket_dir / "r.sock"
        self.url = f"unix://{self.socket}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *options: str) -> None:
        """Start (again, with the data that was there) and wait until it answers."""
        self.directory.mkdir(parents=True, exist_ok=True)
        program = shutil.which("redis-server") or shutil.which("valkey-server")
        assert program, "redis-server is not installed: apt-get install redis-server"
        command = [program, "--port", "0", "--unixsocket", str(self.socket), "--dir", str(self.directory)]
        command += ["--save", "", "--appendonly", "yes", "--appendfsync", "everysec", *options]
        with (self.directory / "redis.log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        wait_until(self._answers, what="redis-server answers")

    def stop(self) -> None:
        """End it in order and wait for it."""
        self.signal(signal.SIGTERM)
        self.wait()

    def kill(self) -> None:
        """End it without a chance to save."""
        self.signal(signal.SIGKILL)
        self.wait()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal, e.g. SIGSTOP to freeze it."""
        if self._process is not None:
            self._process.send_signal(number)

    def wait(self) -> None:
        """Wait for its end."""
        if self._process is not None:
            self._process.wait(timeout=20)
            self._process = None

    def remove(self) -> None:
        """Stop and leave nothing behind."""
        if self._process is not None:
            self.signal(signal.SIGCONT)
            self.kill()
        shutil.rmtree(self._socket_dir, ignore_errors=True)

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self.directory / "redis.log").read_text()[-2000:]
        try:
            with client.Redis.from_url(self.url) as probe:
                return bool(probe.ping())
        except client.RedisError:
            return False
