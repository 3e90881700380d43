"""A real aria2c on loopback that talks to nobody else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx

from tests.support.daemon import Daemon
from tests.support.ports import free_port

SECRET = "correct-horse"


class Aria2Server(Daemon):
    """One real aria2."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory, free_port())

    def command(self) -> list[str]:
        """Return what is run."""
        return [
            "aria2c",
            "--no-conf=true",
            "--enable-rpc",
            "--rpc-listen-all=false",
            f"--rpc-listen-port={self.port}",
            f"--rpc-secret={SECRET}",
            "--interface=127.0.0.1",
            f"--listen-port={free_port()}",
            "--enable-dht=false",
            "--bt-enable-lpd=false",
            "--disable-ipv6=true",
            "--file-allocation=none",
            f"--dir={self.downloads}",
        ]

    def call(self, method: str, *params: Any) -> Any:
        """Call one method of the RPC."""
        body = {"jsonrpc": "2.0", "id": "t", "method": method, "params": [f"token:{SECRET}", *params]}
        answer = httpx.post(f"{self.url}/jsonrpc", json=body, timeout=20).json()
        assert "error" not in answer, answer
        return answer["result"]
