"""A real transmission-daemon on loopback that talks to nobody else."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import httpx

from tests.support.daemon import Daemon
from tests.support.ports import free_port

USERNAME = "vabhub"
PASSWORD = "correct horse"


class TransmissionServer(Daemon):
    """One real Transmission."""

    def __init__(self, directory: Path, *, rpc_url: str = "/transmission/") -> None:
        super().__init__(directory, free_port())
        settings = {
            "rpc-bind-address": "127.0.0.1",
            "rpc-port": self.port,
            "rpc-url": rpc_url,
            "rpc-authentication-required": True,
            "rpc-username": USERNAME,
            "rpc-password": PASSWORD,
            "rpc-whitelist-enabled": False,
            "rpc-host-whitelist-enabled": False,
            "bind-address-ipv4": "127.0.0.1",
            "peer-port": free_port(),
            "dht-enabled": False,
            "lpd-enabled": False,
            "pex-enabled": False,
            "utp-enabled": False,
            "port-forwarding-enabled": False,
            "download-dir": str(self.downloads),
        }
        (directory / "settings.json").write_text(json.dumps(settings))
        self._rpc = f"{self.url}{rpc_url}rpc"

    def command(self) -> list[str]:
        """Return what is run."""
        return ["transmission-daemon", "-f", "-g", str(self.directory)]

    def call(self, method: str, **arguments: Any) -> dict[str, Any]:
        """Call one method of the RPC."""
        with httpx.Client(auth=(USERNAME, PASSWORD), timeout=20) as client:
            first = client.post(self._rpc)
            name = "X-Transmission-Session-Id"
            body = {"method": method, "arguments": arguments}
            answer = client.post(self._rpc, headers={name: first.headers[name]}, json=body).json()
        assert answer["result"] == "success", answer
        return answer["arguments"]  # type: ignore[no-any-return]

    def add(self, torrent: bytes | str, **options: Any) -> None:
        """Add a torrent file or a magnet link."""
        if isinstance(torrent, str):
            self.call("torrent-add", filename=torrent, **options)
        else:
            self.call("torrent-add", metainfo=base64.b64encode(torrent).decode(), **options)
