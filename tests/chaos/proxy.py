"""A TCP proxy before Redis that swallows every n-th reply."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress

from tests.support.ports import free_port


class ReplyDropper:
    """Forwards everything but each n-th reply: the request has worked, and its sender never hears of it."""

    def __init__(self, target_port: int, *, every: int) -> None:
        self.port = free_port()
        self.dropped = 0
        self._target_port = target_port
        self._every = every
        self._replies = 0
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> ReplyDropper:
        """Begin to listen."""
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def stop(self) -> None:
        """Close all connections."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(asyncio.start_server(self._connect, "127.0.0.1", self.port))
        self._ready.set()
        self._loop.run_forever()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self._target_port)
        except OSError:
            writer.close()
            return
        # A reply may come in several pieces: it goes on until the client asks the next question.
        asked = asyncio.Event()
        pumps = [
            asyncio.create_task(self._requests(reader, up_writer, asked)),
            asyncio.create_task(self._answers(up_reader, writer, asked)),
        ]
        await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        for pump in pumps:
            pump.cancel()
        writer.close()
        up_writer.close()

    async def _requests(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, asked: asyncio.Event
    ) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(65536):
                asked.set()
                writer.write(data)
                await writer.drain()

    async def _answers(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, asked: asyncio.Event
    ) -> None:
        swallow = False
        with suppress(ConnectionError):
            while data := await reader.read(65536):
                if asked.is_set():
                    asked.clear()
                    self._replies += 1
                    swallow = self._replies % self._every == 0
                    self.dropped += swallow
                if not swallow:
                    writer.write(data)
                    await writer.drain()
