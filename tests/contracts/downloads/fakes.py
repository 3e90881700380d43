"""Download clients that answer as the real programs do, for what those will not do on demand."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any, ClassVar
from urllib.parse import parse_qsl

from tests.support.scripted_http import Answer, answer
from vabhub.collectors.downloads import ClientConfig, ClientKind

SIZE, LEFT = 8 * 1024 * 1024, 2 * 1024 * 1024
USERNAME, SECRET = "user", "a secret"


def as_json(found: Any, status: int = 200, **headers: str) -> Answer:
    """Return a JSON answer."""
    return answer(status, json.dumps(found).encode(), Content_Type="application/json", **headers)


@dataclass
class Fake:
    """One program: what it says when all is well. `changes` are put into each of its items."""

    kind: ClassVar[ClientKind]
    version: str = "1.0"
    count: int = 1
    changes: dict[str, Any] = field(default_factory=dict)

    def config(self, url: str, *, secret: str = SECRET) -> ClientConfig:
        """Return how it is reached."""
        return ClientConfig(self.kind, self.kind.value, url, USERNAME, secret, mend="set VABHUB_X")

    def script(self, _path: str) -> Answer:
        """Answer one request."""
        return lambda request: self.reply(request)(request)

    def reply(self, request: Any) -> Answer:
        """Return the answer to what is asked."""
        raise NotImplementedError

    def refusal(self) -> Callable[[str], Answer]:
        """Return the script of a program that knows another password."""
        return lambda _path: answer(401, b"<h1>401: Unauthorized</h1>")

    def unknown_method(self) -> Callable[[str], Answer] | None:
        """Return the script of a program that is too old, None where that cannot be told."""
        return None

    def ban(self) -> Callable[[str], Answer] | None:
        """Return the script of a program that has banned us, None for one that never does."""
        return None


class FakeQBittorrent(Fake):
    """qBittorrent 4 and 5, without a login."""

    kind = ClientKind.QBITTORRENT

    def reply(self, request: Any) -> Answer:
        if request.path.endswith("/app/version"):
            return answer(200, f"v{self.version}".encode())
        torrent = {"name": "film", "state": "downloading", "size": SIZE, "total_size": SIZE}
        torrent |= {"amount_left": LEFT, "progress": 0.75, "dlspeed": 100, "eta": 60, **self.changes}
        torrents = {f"hash{number}": torrent for number in range(self.count)}
        state = {"dl_info_speed": 100, "up_info_speed": 5}
        return as_json({"rid": 1, "full_update": True, "torrents": torrents, "server_state": state})

    def refusal(self) -> Callable[[str], Answer]:
        return lambda path: answer(200, b"Fails.") if path.endswith("/login") else answer(403)

    def ban(self) -> Callable[[str], Answer]:
        return lambda _path: answer(403, b"Your IP address has been banned")


class FakeTransmission(Fake):
    """Transmission: 409 with a session first, then its RPC."""

    kind = ClientKind.TRANSMISSION

    def reply(self, request: Any) -> Answer:
        if request.headers.get("X-Transmission-Session-Id") != "s1":
            return answer(409, b"<h1>409: Conflict</h1>", X_Transmission_Session_Id="s1")
        return as_json(
            {"result": "success", "arguments": self._arguments(json.loads(request.body)["method"])}
        )

    def _arguments(self, method: str) -> dict[str, Any]:
        if method == "session-get":
            return {"version": self.version}
        if method == "session-stats":
            return {"downloadSpeed": 100, "uploadSpeed": 5, "current-stats": {"downloadedBytes": 1}}
        torrent = {"name": "film", "status": 4, "error": 0, "percentDone": 0.75, "sizeWhenDone": SIZE}
        torrent |= {"leftUntilDone": LEFT, "rateDownload": 100, "metadataPercentComplete": 1, "eta": 60}
        numbers = range(self.count)
        return {"torrents": [{"id": n, "hashString": f"h{n}", **torrent, **self.changes} for n in numbers]}

    def unknown_method(self) -> Callable[[str], Answer]:
        return lambda _path: as_json({"result": "method name not recognized"})

    def ban(self) -> Callable[[str], Answer]:
        said = b"<p>Too many unsuccessful login attempts. Please restart transmission-daemon.</p>"
        return lambda _path: answer(403, said)


class FakeAria2(Fake):
    """aria2: one multicall."""

    kind = ClientKind.ARIA2

    def reply(self, request: Any) -> Answer:
        (calls,) = json.loads(request.body)["params"]
        assert all(call["params"][0] == f"token:{SECRET}" for call in calls)
        return as_json({"result": [[self._result(call["methodName"])] for call in calls]})

    def _result(self, method: str) -> Any:
        if method == "aria2.getVersion":
            return {"version": self.version}
        if method == "aria2.getGlobalStat":
            return {"downloadSpeed": "100", "uploadSpeed": "5"}
        if method != "aria2.tellActive":
            return []
        item = {"status": "active", "totalLength": str(SIZE), "completedLength": str(SIZE - LEFT)}
        item |= {"downloadSpeed": "100", "uploadSpeed": "0", "files": [{"path": "/d/film"}], **self.changes}
        return [{"gid": f"g{number}", **item} for number in range(self.count)]

    def refusal(self) -> Callable[[str], Answer]:
        fault = {"code": 1, "message": "Unauthorized"}
        return lambda _path: as_json({"result": [fault] * 5})

    def unknown_method(self) -> Callable[[str], Answer]:
        fault = {"code": 1, "message": "No such method: system.multicall"}
        return lambda _path: as_json({"error": fault}, 400)


class FakeSabnzbd(Fake):
    """SABnzbd: its queue and its history, as sabnzbd/api.py writes them."""

    kind = ClientKind.SABNZBD
    history: ClassVar[list[dict[str, Any]]] = []

    def reply(self, request: Any) -> Answer:
        asked = dict(parse_qsl(request.body.decode()))
        if asked.get("apikey") != SECRET or "apikey" in request.path:
            return self.refusal()("")
        if asked["mode"] == "history":
            return as_json({"history": {"version": self.version, "slots": self.history}})
        slot = {"filename": "film", "status": "Downloading", "mb": "8.00", "mbleft": "2.00"}
        slot |= {"timeleft": "0:01:00", "cat": "*", "percentage": "75", **self.changes}
        slots = [{"nzo_id": f"SABnzbd_nzo_{number}", **slot} for number in range(self.count)]
        queue = {"version": self.version, "paused": False, "kbpersec": "0.10", "slots": slots}
        return as_json({"queue": queue})

    def refusal(self) -> Callable[[str], Answer]:
        return lambda _path: as_json({"status": False, "error": "API Key Incorrect"}, 403)

    def unknown_method(self) -> Callable[[str], Answer]:
        return lambda _path: as_json({"status": False, "error": "not implemented"})


class FakeNzbget(Fake):
    """NZBGet: totals, groups, history."""

    kind = ClientKind.NZBGET

    def reply(self, request: Any) -> Answer:
        return as_json({"version": "1.1", "result": self._result(json.loads(request.body)["method"])})

    def _result(self, method: str) -> Any:
        if method == "version":
            return self.version
        if method == "status":
            return {
                "DownloadRate": 100,
                "DownloadPaused": False,
                "DownloadedSizeLo": 1,
                "DownloadedSizeHi": 0,
            }
        if method == "history":
            return []
        group = {"NZBName": "film", "Status": "DOWNLOADING", "FileSizeLo": SIZE, "FileSizeHi": 0}
        group |= {"RemainingSizeLo": LEFT, "RemainingSizeHi": 0, "PausedSizeLo": 0, "PausedSizeHi": 0}
        return [{"NZBID": number + 1, **group, **self.changes} for number in range(self.count)]

    def unknown_method(self) -> Callable[[str], Answer]:
        fault = {"name": "JSONRPCError", "code": 1, "message": "Invalid procedure"}
        return lambda _path: as_json({"version": "1.1", "error": fault})


FAKES: tuple[type[Fake], ...] = (FakeQBittorrent, FakeTransmission, FakeAria2, FakeSabnzbd, FakeNzbget)


def break_off(request: BaseHTTPRequestHandler) -> None:
    """Promise more than is sent."""
    request.send_response(200)
    request.send_header("Content-Length", "1000")
    request.end_headers()
    request.wfile.write(b'{"result": ')
