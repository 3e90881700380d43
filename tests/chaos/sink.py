"""The provider's process as an experiment sees it: rules go in, arrivals come out."""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.chaos.processes import Process, clean_environment
from tests.support.waiting import wait_until

# What a request has done at the provider; of the others it took nothing.
EFFECTS = frozenset({"ok", "reset", "hang", "drip", "poison"})


@dataclass(frozen=True, slots=True)
class Arrival:
    """One request at the provider."""

    at: float
    id: str
    path: str
    did: str
    until: float | None = None


class Sink:
    """Starts the provider and reads its log."""

    def __init__(self, directory: Path) -> None:
        self._log = directory / "sink.jsonl"
        output = directory / "logs" / "sink.log"
        command = [sys.executable, "-m", "tests.chaos.sink_process", str(self._log)]
        self.process = Process("sink", command, clean_environment(), output)
        self.process.wait_log("port ")
        wait_until(lambda: self.process.text.endswith("\n"))
        self.url = f"http://127.0.0.1:{self.process.text.split()[1]}"

    def rules(self, **rules: dict[str, Any]) -> None:
        """Say what each channel does from now on."""
        httpx.put(f"{self.url}/_rules", json=rules).raise_for_status()

    def arrivals(self) -> list[Arrival]:
        """Return every request so far, in order."""
        if not self._log.exists():
            return []
        lines = self._log.read_text(encoding="utf-8").splitlines()
        return [Arrival(**json.loads(line)) for line in lines]

    def by_id(self) -> dict[str, list[Arrival]]:
        """Return the requests of each `webhook-id`, in order."""
        found: dict[str, list[Arrival]] = defaultdict(list)
        for arrival in self.arrivals():
            found[arrival.id].append(arrival)
        return found

    def stop(self) -> None:
        """End it."""
        self.process.kill()
