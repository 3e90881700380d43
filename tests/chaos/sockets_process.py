"""Many live sockets in a process of their own, some of which never read; they come back when cut.

`python -m tests.chaos.sockets_process URL TOKEN READING SILENT STATE`: keeps STATE (a JSON file) up to date.
"""

from __future__ import annotations

import asyncio
import json
import random
import resource
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import websockets
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, ProtocolError

_SPREAD_S = 1.5  # people's browsers do not come back in the same instant either
_STATE_EVERY_S = 0.2
SUBSCRIBE = json.dumps({"type": "subscribe", "topics": ["system", "dashboard", "notifications"]})


class Crowd:
    """The sockets and what they have seen."""

    def __init__(self, url: str, token: str) -> None:
        self._url = f"{url}?token={token}"
        self._port = urlsplit(url).port
        self.connected = 0
        self.frames = 0
        self.broken: list[str] = []
        self.closes: dict[str, int] = {}
        self.snapshots: list[tuple[float, float]] = []  # when it came, seconds since the socket was open

    async def stay(self, *, reads: bool) -> None:
        """Be connected for ever."""
        while True:
            await asyncio.sleep(random.uniform(0, _SPREAD_S))
            try:
                await self._once(reads=reads)
            except (OSError, InvalidHandshake, TimeoutError, EOFError):
                continue

    async def _once(self, *, reads: bool) -> None:
        options: dict[str, Any] = {"compression": None, "ping_interval": None, "open_timeout": 30}
        if not reads:
            options |= {"sock": await self._small_socket(), "max_queue": 1}
        async with connect(self._url, **options) as live:
            self.connected += 1
            try:
                await live.send(SUBSCRIBE)
                if not reads:
                    await live.wait_closed()
                await self._read(live, time.monotonic())
                self._count_close(live.close_code)
            except ConnectionClosed as end:
                self._count_close(end.rcvd.code if end.rcvd else None)
                if isinstance(end.__cause__, ProtocolError | UnicodeDecodeError):
                    self.broken.append(f"not WebSocket: {end.__cause__}")
            finally:
                self.connected -= 1

    async def _small_socket(self) -> socket.socket:
        """A receiver whose buffer is full soon."""
        made = socket.socket()
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        made.setblocking(False)
        await asyncio.get_running_loop().sock_connect(made, ("127.0.0.1", self._port))
        return made

    async def _read(self, live: Any, opened_at: float) -> None:
        newest: dict[str, int] = {}
        async for text in live:
            self.frames += 1
            try:
                message = json.loads(text)
                topic, seq = message.get("topic"), message.get("seq")
            except (ValueError, AttributeError) as error:
                self.broken.append(f"{error}: {text[:80]!r}")
                continue
            if seq is None:
                continue
            if topic == "system" and topic not in newest:
                self.snapshots.append((time.time(), time.monotonic() - opened_at))
            if seq <= newest.get(topic, -1):
                self.broken.append(f"{topic} seq {seq} after {newest[topic]}")
            newest[topic] = seq

    def _count_close(self, code: int | None) -> None:
        name = str(code or "cut")
        self.closes[name] = self.closes.get(name, 0) + 1

    def state(self) -> dict[str, Any]:
        """Return what was seen."""
        return {name: value for name, value in vars(self).items() if not name.startswith("_")}


async def main() -> None:
    """Connect all and keep the file up to date."""
    url, token, reading, silent, path = sys.argv[1:]
    crowd, target = Crowd(url, token), Path(path)
    tasks = [asyncio.create_task(crowd.stay(reads=True)) for _ in range(int(reading))]
    tasks += [asyncio.create_task(crowd.stay(reads=False)) for _ in range(int(silent))]
    while all(not task.done() for task in tasks):
        draft = target.with_suffix(".new")
        draft.write_text(json.dumps(crowd.state()), encoding="utf-8")
        draft.replace(target)
        await asyncio.sleep(_STATE_EVERY_S)
    for task in tasks:
        if task.done():
            task.result()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    assert websockets.__version__
    asyncio.run(main())
