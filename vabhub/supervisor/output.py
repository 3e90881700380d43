"""Merges what the processes say into one stream: whole lines, each with its process in front."""

from __future__ import annotations

import json
import os
import select
import sys
from collections import deque
from datetime import UTC, datetime

_COLOURS = (36, 32, 35, 33, 34, 95, 96)
_OWN_COLOUR = 1
_LONGEST_LINE = 64 * 1024


class Output:
    """Where all lines go. It alone writes to stdout, so lines are never torn, and holds none back."""

    def __init__(self, names: list[str], *, json_lines: bool = False, colours: bool = True) -> None:
        self._descriptor = sys.stdout.fileno()
        self._width = max(map(len, names))
        self._colours = dict(zip(names, _COLOURS * len(names), strict=False))
        self._coloured = colours and os.isatty(self._descriptor)
        self._json = json_lines
        self.broken = False
        self.drop = False
        """Set when stopping: lines that a paused reader does not take are dropped instead of waited for."""

    def say(self, text: str) -> None:
        """Write one line of the supervisor's own."""
        self.relay("vabhub", [text.encode()])

    def relay(self, name: str, lines: list[bytes]) -> None:
        """Write a process's lines. JSON lines stay as they are: they carry the process themselves."""
        if self._json:
            lines = [line if line.startswith(b"{") else _as_json(name, line) for line in lines]
        prefix = b"" if self._json else self._prefix(name)
        self._write(b"".join(prefix + line + b"\n" for line in lines))

    def _prefix(self, name: str) -> bytes:
        text = f"{name:<{self._width}} | "
        if self._coloured:
            text = f"\x1b[{self._colours.get(name, _OWN_COLOUR)}m{text}\x1b[0m"
        return text.encode()

    def _write(self, data: bytes) -> None:
        while data and not self.broken:
            # A pipe that select calls writable takes this much without blocking.
            _, writable, _ = select.select([], [self._descriptor], [], 0.2)
            if not writable and self.drop:
                return
            try:
                if writable:
                    data = data[os.write(self._descriptor, data[: select.PIPE_BUF]) :]
            except BlockingIOError:
                continue
            except OSError:  # whoever read our lines is gone: there is nobody left to tell
                self.broken = True


def _as_json(name: str, line: bytes) -> bytes:
    text = line.decode("utf-8", "replace")
    event = {"process": name, "event": text, "timestamp": datetime.now(UTC).isoformat()}
    return json.dumps(event, ensure_ascii=False).encode()


class LineBuffer:
    """Cuts a process's bytes into lines and remembers the last few, to quote when it dies."""

    def __init__(self, noise: tuple[bytes, ...] = ()) -> None:
        self._noise = noise
        self._rest = b""
        self.last: deque[bytes] = deque(maxlen=5)

    def feed(self, data: bytes) -> list[bytes]:
        """Return the lines that `data` completes."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > _LONGEST_LINE:
            lines, self._rest = [*lines, self._rest], b""
        return self._remember(lines)

    def flush(self) -> list[bytes]:
        """Return what came without a line's end."""
        lines, self._rest = ([self._rest] if self._rest else []), b""
        return self._remember(lines)

    def _remember(self, lines: list[bytes]) -> list[bytes]:
        lines = [line.rstrip(b"\r") for line in lines if not any(part in line for part in self._noise)]
        self.last.extend(line for line in lines if line.strip())
        return lines
