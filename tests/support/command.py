"""The `vabhub` command in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.support.stack import ROOT


def run(*args: str, cwd: Path, stdin: str | None = None, **env: str) -> subprocess.CompletedProcess[str]:
    """Run the command and return what it said; `stdin` comes through a pipe."""
    return subprocess.run(
        [sys.executable, "-m", "vabhub", *args],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), **env},
        capture_output=True,
        input=stdin,
        text=True,
        timeout=60,
        check=False,
    )
