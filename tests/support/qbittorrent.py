"""A real qbittorrent-nox on loopback that talks to nobody else."""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import qbittorrentapi

from tests.support.ports import free_port
from tests.support.waiting import wait_until

USERNAME = "vabhub"
PASSWORD = "correct horse"

_CONFIG = """\
[LegalNotice]
Accepted=true

[BitTorrent]
Session\\Port={peer_port}
Session\\Interface=lo
Session\\InterfaceName=lo
Session\\InterfaceAddress=127.0.0.1
Session\\DHTEnabled=false
Session\\PeXEnabled=false
Session\\LSDEnabled=false
Session\\MultiConnectionsPerIp=true
Session\\SSRFMitigation=false
Session\\DefaultSavePath={downloads}
Session\\Preallocation=false
Session\\QueueingSystemEnabled=false

[Preferences]
WebUI\\Enabled=true
WebUI\\Address=127.0.0.1
WebUI\\Port={port}
WebUI\\Username={username}
WebUI\\Password_PBKDF2="@ByteArray({hash})"
WebUI\\LocalHostAuth=true
WebUI\\MaxAuthenticationFailCount={max_failures}
WebUI\\BanDuration={ban_s}
WebUI\\UseUPnP=false

[Network]
PortForwardingEnabled=false
"""


class QBittorrentServer:
    """One real qBittorrent with a profile of its own; `start` and `stop` keep the profile and the port."""

    def __init__(self, directory: Path, *, max_failures: int = 5, ban_s: int = 3600) -> None:
        self.directory = directory
        self.downloads = directory / "downloads"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None
        self._write_config(max_failures=max_failures, ban_s=ban_s)

    def start(self) -> None:
        """Start the program and wait until its web interface answers."""
        with (self.directory / "output.log").open("ab") as output:
            self._process = subprocess.Popen(
                ["qbittorrent-nox", f"--profile={self.directory}"],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**os.environ, "HOME": str(self.directory), "QT_QPA_PLATFORM": "offscreen"},
            )
        wait_until(self._listens, timeout_s=30, what="qbittorrent-nox listens")

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

    @contextmanager
    def client(self) -> Iterator[qbittorrentapi.Client]:
        """Give a signed-in client for arranging what a test needs."""
        client = qbittorrentapi.Client(host=self.url, username=USERNAME, password=PASSWORD)
        client.auth_log_in()
        try:
            yield client
        finally:
            client.auth_log_out()
            client._trigger_session_initialization()

    def add(self, torrent: bytes | str, **options: Any) -> None:
        """Add a torrent file or a magnet link."""
        what = {"urls": torrent} if isinstance(torrent, str) else {"torrent_files": torrent}
        with self.client() as client:
            assert client.torrents_add(**what, **options) == "Ok."

    def failed_logins(self) -> int:
        """Return how many failed logins the program has written down."""
        log = self.directory / "qBittorrent" / "data" / "logs" / "qbittorrent.log"
        text = log.read_text(errors="replace") if log.exists() else ""
        return text.count("WebAPI login failure")

    def _listens(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            raise RuntimeError((self.directory / "output.log").read_text(errors="replace"))
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def _write_config(self, *, max_failures: int, ban_s: int) -> None:
        salt = os.urandom(16)
        digest = hashlib.pbkdf2_hmac("sha512", PASSWORD.encode(), salt, 100_000)
        config = self.directory / "qBittorrent" / "config" / "qBittorrent.conf"
        config.parent.mkdir(parents=True)
        self.downloads.mkdir()
        config.write_text(
            _CONFIG.format(
                peer_port=free_port(),
                port=self.port,
                downloads=self.downloads,
                username=USERNAME,
                hash=f"{base64.b64encode(salt).decode()}:{base64.b64encode(digest).decode()}",
                max_failures=max_failures,
                ban_s=ban_s,
            )
        )


@contextmanager
def running_qbittorrent(directory: Path, **options: int) -> Iterator[QBittorrentServer]:
    """Run a qBittorrent for the length of the block."""
    assert shutil.which("qbittorrent-nox"), "install it: apt-get install qbittorrent-nox"
    server = QBittorrentServer(directory, **options)
    server.start()
    try:
        yield server
    finally:
        server.stop()
