"""Posts at a fixed rate, whatever the answers take.

`python -m tests.bench.poster PORT TOKEN CHANNEL RATE SECONDS`. Open loop, in a process of its own: a late
answer does not make the next request later, and a latency counts from when its request was due. Writes
`[[due, latency_s, status], …]` as JSON.
"""

from __future__ import annotations

import http.client
import json
import sys
import threading
import time

from tests.bench.post import MESSAGE, TITLE
from tests.chaos.load import forget_if_closed

THREADS = 24


class Poster:
    """Threads that take the next due request by turns; each has a connection of its own."""

    def __init__(self, port: int, token: str, channel: str, rate: float, seconds: float) -> None:
        self._port = port
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._body = json.dumps({"title": TITLE, "message": MESSAGE, "channels": [channel]})
        self._gap_s = 1 / rate
        self._count = int(rate * seconds)
        self._next = 0
        self._lock = threading.Lock()
        self.answers: list[tuple[float, float, int]] = []

    def run(self) -> None:
        """Post all of them and wait for the answers."""
        self._began = time.monotonic() + 0.2
        threads = [threading.Thread(target=self._post) for _ in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _post(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        while (due := self._take()) is not None:
            time.sleep(max(0.0, due - time.monotonic()))
            forget_if_closed(connection)
            connection.request("POST", "/api/notifications", self._body, self._headers)
            response = connection.getresponse()
            response.read()
            self.answers.append((due - self._began, time.monotonic() - due, response.status))
        connection.close()

    def _take(self) -> float | None:
        with self._lock:
            if self._next == self._count:
                return None
            self._next += 1
            return self._began + (self._next - 1) * self._gap_s


if __name__ == "__main__":
    _, port, token, channel, rate, seconds = sys.argv
    poster = Poster(int(port), token, channel, float(rate), float(seconds))
    poster.run()
    sys.stdout.write(json.dumps(sorted(poster.answers)) + "\n")
