"""Requests over kept connections, as many as the server bears, with the time each took."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass(slots=True)
class Load:
    """What came back: latencies in seconds, statuses, and bodies when they were wanted."""

    latencies_s: list[float] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    answers: list[tuple[float, float, bytes]] = field(default_factory=list)
    spent_s: float = 0.0

    @property
    def per_s(self) -> float:
        """Requests answered a second."""
        return len(self.statuses) / self.spent_s


def run(
    url: str,
    headers: Mapping[str, str],
    *,
    seconds: float = 0.0,
    connections: int = 8,
    each: int | None = None,
    keep: bool = False,
) -> Load:
    """Ask for `seconds`, or `each` times a connection; `keep` the bodies with their begin and end."""
    return asyncio.run(_all(url, headers, seconds, connections, each, keep=keep))


async def _all(
    url: str,
    headers: Mapping[str, str],
    seconds: float,
    connections: int,
    each: int | None,
    *,
    keep: bool,
) -> Load:
    load, parts = Load(), urlsplit(url)
    lines = [
        f"GET {parts.path} HTTP/1.1",
        f"Host: {parts.netloc}",
        *(f"{k}: {v}" for k, v in headers.items()),
    ]
    request = ("\r\n".join(lines) + "\r\n\r\n").encode()
    streams = [await asyncio.open_connection(parts.hostname, parts.port) for _ in range(connections)]
    began = time.perf_counter()
    until = None if each is not None else began + seconds
    await asyncio.gather(*(_ask(pair, request, until, each, load, keep=keep) for pair in streams))
    load.spent_s = time.perf_counter() - began
    for _, writer in streams:
        writer.close()
    return load


async def _ask(
    pair: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    request: bytes,
    until: float | None,
    each: int | None,
    load: Load,
    *,
    keep: bool,
) -> None:
    reader, writer = pair
    count = 0
    while count < each if each is not None else time.perf_counter() < (until or 0):
        count += 1
        began = time.perf_counter()
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        status = int(head[9:12])
        length = 0
        if status != 304:
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0])
        body = await reader.readexactly(length) if length else b""
        ended = time.perf_counter()
        load.latencies_s.append(ended - began)
        load.statuses.append(status)
        if keep:
            load.answers.append((began, ended, body))
