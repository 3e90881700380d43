"""A provider in a process of its own: logs every `webhook-id` with the time, and fails as it is told.

`python -m tests.chaos.sink_process LOG`: writes its port to stdout. The first part of the path is the
channel; `PUT /_rules` with `{"<channel>": {"mode": …}}` sets what each does. Modes: ok (`delay_s`),
status (`status`, `first`: how many attempts of each id fail), hang, mixed (`seed`), poison.
"""

from __future__ import annotations

import asyncio
import json
import math
import os
import random
import signal
import sys
import time
from collections import Counter
from email.utils import formatdate
from typing import Any

import psutil

RETRY_AFTER_S = 7
_OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
POISON = b"kills its worker"
_POISON_WORKS_S = 0.05

# The share of each fault in `mixed`; what is left is answered 200.
MIX = (("500", 0.10), ("429", 0.05), ("hang", 0.05), ("reset", 0.05), ("drip", 0.02))


class Provider:
    """The rules, the log, and how often each id has come."""

    def __init__(self, log: str) -> None:
        self._log = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self.rules: dict[str, dict[str, Any]] = {}
        self._seen: Counter[str] = Counter()
        self._random = random.Random(7)
        self._forms = 0

    def note(self, **fields: Any) -> None:
        """Append one line; a single write, so that it is whole however we end."""
        os.write(self._log, json.dumps({"at": time.time(), **fields}).encode() + b"\n")

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection."""
        try:
            while await self._one(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.LimitOverrunError):
            pass
        finally:
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = await reader.readuntil(b"\r\n\r\n")
        line, *headers = head.decode("latin-1").split("\r\n")
        fields = {name.lower(): value.strip() for name, _, value in (h.partition(":") for h in headers)}
        body = await reader.readexactly(int(fields.get("content-length", 0)))
        path = line.split(" ")[1].strip("/")
        if path == "_rules":
            self.rules.update(json.loads(body))
            writer.write(_OK)
            return True
        return await self._answer(path, fields.get("webhook-id", ""), body, writer)

    async def _answer(self, path: str, webhook_id: str, body: bytes, writer: asyncio.StreamWriter) -> bool:
        rule = self.rules.get(path, {"mode": "ok"})
        self._seen[webhook_id] += 1
        did = self._choose(rule, webhook_id, body)
        if did == "429":
            return self._too_many(path, webhook_id, writer)
        self.note(id=webhook_id, path=path, did=did)
        if did == "ok" and rule.get("delay_s"):
            await asyncio.sleep(rule["delay_s"])
        return await getattr(self, f"_{did}", self._status)(did, writer)

    def _choose(self, rule: dict[str, Any], webhook_id: str, body: bytes) -> str:
        mode = rule["mode"]
        if mode == "status":
            return str(rule["status"]) if self._seen[webhook_id] <= rule.get("first", math.inf) else "ok"
        if mode == "poison":
            return "poison" if POISON in body else "ok"
        if mode != "mixed":
            return str(mode)
        luck = self._random.random()
        for did, share in MIX:
            luck -= share
            if luck < 0:
                return did
        return "ok"

    async def _ok(self, _did: str, writer: asyncio.StreamWriter) -> bool:
        writer.write(_OK)
        await writer.drain()
        return True

    async def _status(self, did: str, writer: asyncio.StreamWriter) -> bool:
        writer.write(f"HTTP/1.1 {did} Error\r\nContent-Length: 5\r\n\r\nerror".encode())
        return True

    def _too_many(self, path: str, webhook_id: str, writer: asyncio.StreamWriter) -> bool:
        """Ask to wait, by turns in seconds and as a date (which has whole seconds only)."""
        self._forms += 1
        until, form = time.time() + RETRY_AFTER_S, str(RETRY_AFTER_S)
        if self._forms % 2:
            until = float(math.ceil(until))
            form = formatdate(until, usegmt=True)
        self.note(id=webhook_id, path=path, did="429", until=until)
        writer.write(
            f"HTTP/1.1 429 Too Many Requests\r\nRetry-After: {form}\r\nContent-Length: 0\r\n\r\n".encode()
        )
        return True

    async def _hang(self, _did: str, _writer: asyncio.StreamWriter) -> bool:
        await asyncio.sleep(120)
        return False

    async def _reset(self, _did: str, writer: asyncio.StreamWriter) -> bool:
        """The message is taken, and the answer never comes."""
        writer.transport.abort()
        return False

    async def _drip(self, _did: str, writer: asyncio.StreamWriter) -> bool:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 300\r\n\r\n")
        for _ in range(300):
            writer.write(b".")
            await writer.drain()
            await asyncio.sleep(1)
        return True

    async def _poison(self, _did: str, writer: asyncio.StreamWriter) -> bool:
        """Kill whoever sent this, as a payload would that crashes the process that works on it."""
        await asyncio.sleep(_POISON_WORKS_S)
        port = writer.get_extra_info("peername")[1]
        for connection in psutil.net_connections("tcp4"):
            if (
                connection.laddr
                and connection.laddr.port == port
                and connection.pid not in (None, os.getpid())
            ):
                os.kill(connection.pid, signal.SIGKILL)
        return False


async def main(log: str) -> None:
    """Serve until the process is ended."""
    server = await asyncio.start_server(Provider(log).serve, "127.0.0.1", 0, backlog=512)
    sys.stdout.write(f"port {server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
