"""Reads a Procfile: `name: command`, one a line."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from vabhub.errors import SettingsError

RELEASE = "release"

_LINE = re.compile(r"^([A-Za-z0-9_-]+):\s*(.+)$")


@dataclass(frozen=True, slots=True)
class Line:
    """One process type and its shell command."""

    name: str
    command: str

    def argv(self) -> list[str]:
        """Return what to execute. `exec` lets the program take the shell's place, and with it our signals."""
        return ["/bin/sh", "-c", f"exec {self.command}"]


def default_path() -> Path:
    """Return the Procfile beside the package."""
    return Path(__file__).resolve().parents[2] / "Procfile"


def read(path: Path) -> dict[str, Line]:
    """Return the lines by name, in the file's order. Raises SettingsError when there is nothing to run."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}.") from error
    lines = {}
    for number, raw in enumerate(text.splitlines(), start=1):
        if not raw.strip() or raw.lstrip().startswith("#"):
            continue
        match = _LINE.match(raw.strip())
        if match is None:
            raise SettingsError(f"{path}, line {number}: expected `name: command`.")
        lines[match[1]] = Line(*match.groups())
    if not set(lines) - {RELEASE}:
        raise SettingsError(f"{path} names no process to run.")
    return lines
