"""Posts notifications over HTTP at a steady rate, each until it is accepted, and keeps every answer."""

from __future__ import annotations

import http.client
import json
import select
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from tests.chaos.result import quantile

_AGAIN_S = 0.5


def forget_if_closed(connection: http.client.HTTPConnection) -> None:
    """Drop a kept connection that the server has closed meanwhile, as every HTTP client does."""
    if connection.sock is not None and select.select([connection.sock], [], [], 0)[0]:
        connection.close()


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer to a POST; `status` None is a connection that failed."""

    at: float
    latency_s: float
    status: int | None
    retry_after: str | None = None
    error: str | None = None


@dataclass(slots=True)
class Post:
    """One notification, its key, and all answers until it was accepted."""

    key: str
    body: dict[str, Any]
    due_at: float
    answers: list[Answer] = field(default_factory=list)
    id: int | None = None
    accepted_at: float = 0.0


class Load:
    """`count` notifications within `seconds`, by turns to `channels`; `start()`, then `wait()`."""

    def __init__(
        self,
        port: int,
        token: str,
        *,
        count: int,
        seconds: float,
        channels: list[str],
        name: str = "load",
        threads: int = 16,
        give_up_s: float = 180.0,
        **fields: Any,
    ) -> None:
        self._port, self._token = port, token
        self._give_up_s = give_up_s
        self.posts = [
            Post(
                key=f"{name}-{number}",
                body={
                    "title": f"{name} {number}",
                    "message": f"number {number}",
                    "channels": [channels[number % len(channels)]],
                    **fields,
                },
                due_at=seconds * number / count,
            )
            for number in range(count)
        ]
        self._threads = [
            threading.Thread(target=self._run, args=(self.posts[first::threads],), daemon=True)
            for first in range(threads)
        ]
        self._began = 0.0

    def start(self) -> Load:
        """Begin to post."""
        self._began = time.monotonic()
        for thread in self._threads:
            thread.start()
        return self

    def wait(self) -> Load:
        """Wait until each was accepted or given up."""
        for thread in self._threads:
            thread.join()
        return self

    @property
    def running(self) -> bool:
        """Whether something is still to be posted."""
        return any(thread.is_alive() for thread in self._threads)

    @property
    def accepted(self) -> list[Post]:
        """What was answered 201."""
        return [post for post in self.posts if post.id is not None]

    @property
    def answers(self) -> list[Answer]:
        """Every answer of every post, in the order of time."""
        return sorted((answer for post in self.posts for answer in post.answers), key=lambda one: one.at)

    def statuses(self) -> dict[str, int]:
        """Return how often each status was answered; "none" is a connection that failed."""
        found: dict[str, int] = {}
        for answer in self.answers:
            name = str(answer.status or "none")
            found[name] = found.get(name, 0) + 1
        return found

    def p99_s(self) -> float | None:
        """Return the latency that 99 % of the accepting answers do not exceed."""
        return quantile([one.latency_s for one in self.answers if one.status == 201], 0.99)

    def _run(self, posts: list[Post]) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        for post in posts:
            time.sleep(max(0.0, self._began + post.due_at - time.monotonic()))
            deadline = time.monotonic() + self._give_up_s
            while not self._try(connection, post) and time.monotonic() < deadline:
                time.sleep(_AGAIN_S)
        connection.close()

    def _try(self, connection: http.client.HTTPConnection, post: Post) -> bool:
        """Post once; return whether this post is over: accepted, or refused for good."""
        began = time.monotonic()
        headers = {
            "Authorization": f"Bearer {self._token}",
            "Content-Type": "application/json",
            "Idempotency-Key": post.key,
        }
        forget_if_closed(connection)
        try:
            connection.request("POST", "/api/notifications", json.dumps(post.body), headers)
            response = connection.getresponse()
            text = response.read()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            took = time.monotonic() - began
            post.answers.append(Answer(time.time(), took, None, error=f"{type(error).__name__}: {error}"))
            return False
        took = time.monotonic() - began
        post.answers.append(Answer(time.time(), took, response.status, response.getheader("Retry-After")))
        if response.status == 201:
            post.id = json.loads(text)["data"]["id"]
            post.accepted_at = time.time()
        return response.status not in (429, 500, 502, 503, 504)
