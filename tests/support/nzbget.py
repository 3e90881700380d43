"""A real nzbget on loopback that reads from one news server of ours."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import httpx

from tests.support.daemon import Daemon
from tests.support.ports import free_port

USERNAME = "vabhub"
PASSWORD = "correct horse"


class NzbgetServer(Daemon):
    """One real NZBGet."""

    def __init__(self, directory: Path, news_port: int) -> None:
        super().__init__(directory, free_port())
        options = {
            "MainDir": directory,
            "DestDir": self.downloads,
            "WebDir": "/usr/share/nzbget/webui",
            "ConfigTemplate": "/usr/share/nzbget/webui/nzbget.conf",
            "Server1.Active": "yes",
            "Server1.Host": "127.0.0.1",
            "Server1.Port": news_port,
            "Server1.Encryption": "no",
            "Server1.Connections": 1,
            "ControlIP": "127.0.0.1",
            "ControlPort": self.port,
            "ControlUsername": USERNAME,
            "ControlPassword": PASSWORD,
            "FormAuth": "no",
            "ArticleRetries": 0,
            "ArticleInterval": 0,
            "HealthCheck": "none",
            "OutputMode": "loggable",
            "Unpack": "no",
        }
        (directory / "nzbget.conf").write_text("".join(f"{key}={value}\n" for key, value in options.items()))

    def command(self) -> list[str]:
        """Return what is run."""
        return ["nzbget", "-s", "-c", str(self.directory / "nzbget.conf")]

    def call(self, method: str, *params: Any) -> Any:
        """Call one method of the RPC."""
        body = {"method": method, "params": list(params)}
        answer = httpx.post(f"{self.url}/jsonrpc", json=body, auth=(USERNAME, PASSWORD), timeout=20).json()
        assert "error" not in answer, answer
        return answer["result"]

    def add(self, name: str, nzb: bytes, *, category: str = "", paused: bool = False) -> int:
        """Add an NZB and return its number."""
        content = base64.b64encode(nzb).decode()
        number = self.call("append", f"{name}.nzb", content, category, 0, False, paused, "", 0, "SCORE", [])
        assert number > 0, number
        return int(number)
