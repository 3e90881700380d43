"""Stand-ins for web, worker and scheduler, so that the supervisor is tested alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.stack import Up

WEB = """
import http.server, os, signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        known = {"/readyz": 200, "/setup": int(os.environ.get("SETUP", "404"))}
        self.send_response(known.get(self.path, 404))
        self.end_headers()
    def log_message(self, *_):
        pass
print("web listens", flush=True)
http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""

SLEEPER = """
import subprocess, sys, time
if len(sys.argv) > 1:
    subprocess.Popen([sys.executable, sys.argv[0]])
print("sleeper runs", flush=True)
time.sleep(600)
"""

STUBBORN = """
import signal, subprocess, sys, time
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    signal.signal(number, signal.SIG_IGN)
if len(sys.argv) > 1:
    subprocess.Popen([sys.executable, sys.argv[0]])
print("stubborn runs", flush=True)
time.sleep(600)
"""

Start = Callable[..., Up]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start `vabhub up` on a Procfile of stand-ins: `start(worker="python sleeper.py", SETUP="200")`."""
    for name, text in (("web.py", WEB), ("sleeper.py", SLEEPER), ("stubborn.py", STUBBORN)):
        (tmp_path / name).write_text(text)
    started: list[Up] = []

    def run(*, web: str | None = "python web.py", **given: str) -> Up:
        lines = {"web": web} | {name: text for name, text in given.items() if name.islower()}
        procfile = tmp_path / "Procfile"
        procfile.write_text("".join(f"{name}: {text}\n" for name, text in lines.items() if text))
        env = {name: value for name, value in given.items() if name.isupper()}
        started.append(Up(tmp_path, procfile=procfile, **env))
        return started[-1]

    yield run
    for up in started:
        up.kill()
