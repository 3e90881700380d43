"""Graphics cards, by what `nvidia-smi` says; without it nothing is known of any."""

from __future__ import annotations

import csv
import shutil
import subprocess
import threading
import time
from typing import Any

from vabhub.log import get_logger

log = get_logger(__name__)

_FIELDS = ("index", "name", "utilization.gpu", "memory.used", "memory.total", "temperature.gpu", "power.draw")
_ARGUMENTS = (f"--query-gpu={','.join(_FIELDS)}", "--format=csv,noheader,nounits")
_TIMEOUT_S = 8.0
# An answer older than this says nothing about now.
_FRESH_S = 60.0
_MIB = 1024**2


class GpuReader:
    """Asks in a thread of its own: the driver can take seconds to wake, and a sample waits for nobody."""

    def __init__(self) -> None:
        self._program = shutil.which("nvidia-smi")
        self._asking: threading.Thread | None = None
        self._answer: list[dict[str, Any]] | None = None
        self._answered_at = 0.0

    def read(self) -> list[dict[str, Any]] | None:
        """Return the last answer and ask anew; None where there is no `nvidia-smi`, or none that answers.

        A card has index, name, usage (percent), memory_used_bytes, memory_total_bytes, celsius, watts.
        """
        if self._program is None:
            return None
        if self._asking is None or not self._asking.is_alive():
            self._asking = threading.Thread(target=self._ask, args=(self._program,), daemon=True, name="gpus")
            self._asking.start()
        fresh = time.monotonic() - self._answered_at < _FRESH_S
        return self._answer if fresh else None

    def _ask(self, program: str) -> None:
        try:
            told = subprocess.run(
                [program, *_ARGUMENTS], capture_output=True, text=True, check=True, timeout=_TIMEOUT_S
            )
            self._answer, self._answered_at = parse(told.stdout), time.monotonic()
        except (OSError, subprocess.SubprocessError, ValueError) as error:
            log.debug("gpus.unknown", reason=str(error)[:200])


def parse(text: str) -> list[dict[str, Any]]:
    """Return the cards of `nvidia-smi --format=csv,noheader,nounits`; raises ValueError for other text."""
    return [_card(row) for row in csv.reader(text.splitlines(), skipinitialspace=True) if row]


def _card(row: list[str]) -> dict[str, Any]:
    if len(row) != len(_FIELDS):
        raise ValueError(f"{len(row)} fields instead of {len(_FIELDS)}")
    index, name, usage, used, total, celsius, watts = row
    return {
        "index": int(index),
        "name": name.strip(),
        "usage": _number(usage),
        "memory_used_bytes": _bytes(used),
        "memory_total_bytes": _bytes(total),
        "celsius": _number(celsius),
        "watts": _number(watts),
    }


def _number(text: str) -> float | None:
    """Return None for what the card does not measure: "[N/A]", "[Not Supported]", "[Unknown Error]"."""
    try:
        return float(text)
    except ValueError:
        return None


def _bytes(mib: str) -> int | None:
    number = _number(mib)
    return None if number is None else int(number * _MIB)
