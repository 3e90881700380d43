"""Wait for a condition with a deadline; the one place in the tests that may pause."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_until(
    condition: Callable[[], T], *, timeout_s: float = 20, every_s: float = 0.02, what: str = ""
) -> T:
    """Return the first truthy answer of `condition`; fail with `what` when the deadline passes."""
    deadline = time.monotonic() + timeout_s
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout_s} s: {what or condition}; last answer: {answer!r}")
        time.sleep(every_s)
