"""The last will: when the supervisor is killed outright, a forked twin kills the groups it left behind.

PR_SET_PDEATHSIG reaches a direct child only; what that child forked would live on.
"""

from __future__ import annotations

import os
import signal
from contextlib import suppress


class Guard:
    """A twin that holds a pipe to us. Groups are added as `+pid`, taken off as `-pid`, one a line."""

    def __init__(self) -> None:
        reader, self._writer = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                os.close(self._writer)
                _watch(reader)
            finally:
                os._exit(0)
        os.close(reader)

    def add(self, group: int) -> None:
        """Name a process group that must not outlive us."""
        self._tell(f"+{group}\n")

    def remove(self, group: int) -> None:
        """Take off a group that is gone: its number may be given to somebody else."""
        self._tell(f"-{group}\n")

    def dismiss(self) -> None:
        """End the twin. Whatever is still on its list is killed."""
        os.close(self._writer)
        with suppress(ChildProcessError):
            os.waitpid(self.pid, 0)

    def _tell(self, line: str) -> None:
        with suppress(OSError):  # the twin was killed: PR_SET_PDEATHSIG still covers direct children
            os.write(self._writer, line.encode())


def _watch(reader: int) -> None:
    os.setsid()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    groups: set[int] = set()
    with os.fdopen(reader) as lines:
        for line in lines:
            group = int(line[1:])
            (groups.add if line[0] == "+" else groups.discard)(group)
    for group in groups:
        with suppress(OSError):
            os.killpg(group, signal.SIGKILL)
