"""One supervised process: start, death, wait, start again."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from vabhub.supervisor.output import LineBuffer

FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 30.0
# Having stayed up this long, a process that was started again is reported.
STAYS_UP_AFTER_S = 1.0
# Having run this long, a process counts as healthy: the next death waits the shortest time again.
HEALTHY_AFTER_S = 60.0

_PR_SET_PDEATHSIG = 1
_prctl = ctypes.CDLL(None).prctl if sys.platform == "linux" else None

_HINTS = {
    126: "the command may not be executed",
    127: "the command was not found; `make run` installs what is needed",
}


class Child:
    """A process in a session of its own, so that a signal from the terminal does not reach it."""

    def __init__(
        self,
        name: str,
        argv: list[str],
        *,
        cwd: Path,
        env: Mapping[str, str],
        noise: tuple[bytes, ...] = (),
    ) -> None:
        self.name = name
        self._argv = argv
        self._cwd = cwd
        self._env = env
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0
        self._deaths = 0
        self.lines = LineBuffer(noise)
        self.start_at: float | None = 0.0
        """When to start next on the monotonic clock; None while running or when it must not start."""
        self.report_at: float | None = None
        """When to say that it was started again; None when there is nothing to say."""

    @property
    def pid(self) -> int | None:
        """The process's id, which is its group's too; None when it is not running."""
        return self._process.pid if self._process else None

    @property
    def pipe(self) -> int:
        """The descriptor that carries what it writes to stdout and stderr."""
        assert self._process is not None
        assert self._process.stdout is not None
        return self._process.stdout.fileno()

    def start(self) -> None:
        """Start the process. A command that does not exist dies with code 127, as in a shell."""
        self.start_at = None
        self._started_at = time.monotonic()
        self.report_at = self._started_at + STAYS_UP_AFTER_S if self._deaths else None
        self._process = subprocess.Popen(
            self._argv,
            cwd=self._cwd,
            env=dict(self._env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_die_with_parent,  # noqa: PLW1509 - only this thread forks
        )
        os.set_blocking(self.pipe, False)

    def has_died(self) -> bool:
        """Say whether the process has ended. It stays a zombie, so that its group's number stays its own."""
        if self._process is None:
            return False
        flags = os.WEXITED | os.WNOHANG | os.WNOWAIT
        return os.waitid(os.P_PID, self._process.pid, flags) is not None

    def signal_group(self, number: int) -> None:
        """Send a signal to the process and all that it forked."""
        if self._process is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, number)

    def bury(self) -> int:
        """Kill what is left of a dead process's group and return its exit code (negative: the signal)."""
        assert self._process is not None
        self.signal_group(signal.SIGKILL)
        code = self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._process = None
        return code

    def schedule(self) -> float:
        """Plan the next start and return the seconds until then."""
        self.report_at = None
        if time.monotonic() - self._started_at >= HEALTHY_AFTER_S:
            self._deaths = 0
        wait_s = min(FIRST_WAIT_S * 2.0**self._deaths, LONGEST_WAIT_S)
        self._deaths += 1
        self.start_at = time.monotonic() + wait_s
        return wait_s

    def obituary(self, code: int, wait_s: float) -> str:
        """Return the line that says how it ended, when it is tried again and what may help."""
        text = f"{self.name} {_how(code)}; next try in {wait_s:g} s"
        if code in _HINTS:
            return f"{text} ({_HINTS[code]})"
        if self._deaths >= 4:
            return f"{text} (it keeps failing: its lines above say why, `vabhub doctor` checks the rest)"
        return text

    def return_notice(self) -> str:
        """Return the line that says that it runs again, and count it as said."""
        self.report_at = None
        return f"{self.name} is back (attempt {self._deaths})"


def _how(code: int) -> str:
    if code >= 0:
        return f"exited with code {code}"
    name = signal.strsignal(-code)
    with suppress(ValueError):
        name = signal.Signals(-code).name
    return f"was killed by {name}"


def _die_with_parent() -> None:
    if _prctl is not None:
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def child_env(**forced: str) -> dict[str, str]:
    """Return the environment of a process: ours, our Python first on PATH, our package importable."""
    root = str(Path(__file__).resolve().parents[2])
    paths = [root, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    return {
        **os.environ,
        **forced,
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
        "PYTHONPATH": os.pathsep.join(dict.fromkeys(paths)),
        "PYTHONUNBUFFERED": "1",
    }
