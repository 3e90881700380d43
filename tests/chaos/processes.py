"""Real processes of the Procfile, each with a log of its own, that can be signalled one by one."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil

from tests.support.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]
# What the person who runs this may have set must not reach the processes under test.
_KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH", "VIRTUAL_ENV")


def procfile() -> dict[str, list[str]]:
    """Return the commands of the Procfile, run by this Python."""
    lines = (ROOT / "Procfile").read_text(encoding="utf-8").splitlines()
    commands = {}
    for line in filter(str.strip, lines):
        name, _, text = line.partition(":")
        words = shlex.split(text)
        own = {"python": [sys.executable], "gunicorn": [sys.executable, "-m", "gunicorn"]}
        commands[name.strip()] = [*own.get(words[0], [words[0]]), *words[1:]]
    return commands


def clean_environment(**extra: str) -> dict[str, str]:
    """Return an environment with nothing in it but what is given and what every program needs."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    kept["VABHUB_ENV_FILE"] = os.devnull
    return {**kept, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", **extra}


class Process:
    """One process and its log."""

    def __init__(self, name: str, command: list[str], env: dict[str, str], log: Path) -> None:
        self.name = name
        self.log_path = log
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            self._popen = subprocess.Popen(
                command,
                cwd=ROOT,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self.started_at = time.monotonic()

    @property
    def pid(self) -> int:
        """The process id."""
        return self._popen.pid

    @property
    def code(self) -> int | None:
        """The exit code; None while it runs."""
        return self._popen.poll()

    @property
    def text(self) -> str:
        """All it has written."""
        return self.log_path.read_text(encoding="utf-8", errors="replace")

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to this process alone."""
        with suppress(ProcessLookupError):
            self._popen.send_signal(number)

    def signal_all(self, number: signal.Signals) -> None:
        """Send a signal to this process and to each below it, as a platform does."""
        for process in self.tree():
            with suppress(psutil.NoSuchProcess):
                process.send_signal(number)

    def tree(self) -> list[psutil.Process]:
        """Return the process and all below it that live."""
        try:
            top = psutil.Process(self.pid)
            return [top, *top.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def kill(self) -> None:
        """End it and all below it by force."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        self._popen.wait(timeout=20)

    def exited_after(self, since: float, *, timeout_s: float) -> float | None:
        """Wait for its end and return the seconds since `since` (monotonic); None if it does not end."""
        try:
            self._popen.wait(timeout=max(0.0, since + timeout_s - time.monotonic()))
        except subprocess.TimeoutExpired:
            return None
        return time.monotonic() - since

    def wait_log(self, text: str, *, timeout_s: float = 60) -> None:
        """Wait until it has written `text`; fail at once when it ends without."""

        def written() -> bool:
            found = text in self.text
            if not found and self.code is not None:
                raise AssertionError(f"{self.name} ended with {self.code}:\n{self.text[-3000:]}")
            return found

        wait_until(written, timeout_s=timeout_s, every_s=0.05, what=f"{text!r} in {self.log_path}")


def run(command: list[str], env: dict[str, str], *, timeout_s: float = 120) -> str:
    """Run a command to its end and return its output; fail with what it said."""
    done = subprocess.run(
        command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=timeout_s, check=False
    )
    if done.returncode != 0:
        raise AssertionError(f"{shlex.join(command)} ended with {done.returncode}:\n{done.stderr[-3000:]}")
    return done.stdout
