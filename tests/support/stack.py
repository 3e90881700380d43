"""The whole VabHub, as `vabhub up` starts it, on a free port with a data directory of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

import httpx
import psutil

from tests.support.ports import free_port
from tests.support.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]
USER, PASSWORD = "admin", "correct horse battery"
STOP_WITHIN_S = 10.0

# What the person who runs the tests may have set must not reach the processes under test.
_KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH", "SSL_CERT_FILE", "VIRTUAL_ENV")


class Up:
    """A running `vabhub up`: its output, its processes, its end."""

    def __init__(self, directory: Path, *, procfile: Path | None = None, **env: str) -> None:
        self.port = int(env["PORT"]) if env.get("PORT", "").isdigit() else free_port()
        self.base_url = f"http://127.0.0.1:{self.port}"
        self.data_dir = Path(env.get("VABHUB_DATA_DIR") or directory / "data")
        self._lines: list[str] = []
        self._errors: list[str] = []
        self._seen: set[psutil.Process] = set()
        self._reading = threading.Event()
        self._reading.set()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "vabhub", "up", *(["--procfile", str(procfile)] if procfile else [])],
            cwd=directory,
            env={
                **{name: os.environ[name] for name in _KEPT if name in os.environ},
                "PYTHONPATH": str(ROOT),
                "PYTHONDONTWRITEBYTECODE": "1",
                "VABHUB_ENV_FILE": os.devnull,
                "PORT": str(self.port),
                "VABHUB_DATA_DIR": str(self.data_dir),
                **env,
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self._readers = [
            threading.Thread(target=self._read, args=pair, daemon=True)
            for pair in ((self.process.stdout, self._lines), (self.process.stderr, self._errors))
        ]
        for reader in self._readers:
            reader.start()

    def logs(self) -> str:
        """Everything it wrote to stdout so far."""
        return "".join(self._lines)

    def errors(self) -> str:
        """Everything it wrote to stderr so far."""
        return "".join(self._errors)

    def wait_for(self, text: str, *, timeout_s: float = 60) -> None:
        """Wait until its output holds `text`; fail at once when it ends without."""

        def written() -> bool:
            assert text in self.logs() or self.process.poll() is None, self._story()
            return text in self.logs()

        try:
            wait_until(written, timeout_s=timeout_s, what=f"{text!r} in the output")
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self._story()}") from None

    def wait_ready(self, *, timeout_s: float = 60) -> None:
        """Wait for the ready line."""
        self.wait_for("VabHub is ready at", timeout_s=timeout_s)
        self.processes()

    def processes(self) -> list[psutil.Process]:
        """Return every process below it that is alive."""
        try:
            found = psutil.Process(self.process.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            found = []
        self._seen.update(found)
        return found

    def named(self, part: str) -> psutil.Process:
        """Return the supervised process whose command line holds `part`."""
        return wait_until(lambda: self._find(part), what=f"a process with {part!r} in its command")

    def leftovers(self) -> list[psutil.Process]:
        """Return those of all processes ever seen below it that still live."""
        return [process for process in self._seen if _is_alive(process)]

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the supervisor alone."""
        self.process.send_signal(number)

    def hang_up(self) -> None:
        """Close our end of its output, as a pager does that is left."""
        assert self.process.stdout is not None
        with Path(os.devnull).open() as nothing:
            os.dup2(nothing.fileno(), self.process.stdout.fileno())

    def pause_reading(self) -> None:
        """Take no more of its output, as a terminal does after Ctrl-S."""
        self._reading.clear()

    def resume_reading(self) -> None:
        """Take its output again."""
        self._reading.set()

    def wait(self, *, timeout_s: float = STOP_WITHIN_S) -> int:
        """Wait for its end and return the exit code."""
        try:
            code = self.process.wait(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running after {timeout_s} s\n{self._story()}") from None
        for reader in self._readers:
            reader.join(timeout=5)
        return code

    def stop(self) -> None:
        """End it as a person would; fail unless it ends in time, with 0, and leaves nothing behind."""
        self.processes()
        if self.process.poll() is None:
            self.signal(signal.SIGINT)
        code = self.wait()
        assert code == 0, f"exit code {code}\n{self._story()}"
        assert not self.leftovers(), f"left behind: {self.leftovers()}\n{self._story()}"

    def kill(self) -> None:
        """End it and all below it by force, whatever state they are in (clean-up)."""
        self.processes()
        self._reading.set()
        if self.process.poll() is None:
            self.process.kill()
        for process in self._seen:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self.process.wait(timeout=10)
        for reader in self._readers:
            reader.join(timeout=5)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def _find(self, part: str) -> psutil.Process | None:
        for process in self.processes():
            try:
                if part in " ".join(process.cmdline()):
                    return process
            except (psutil.NoSuchProcess, psutil.ZombieProcess):
                continue
        return None

    def _story(self) -> str:
        return f"--- stdout\n{self.logs()[-6000:]}\n--- stderr\n{self.errors()[-2000:]}"

    def _read(self, pipe: TextIO, into: list[str]) -> None:
        with pipe:
            for line in pipe:
                into.append(line)
                self._reading.wait()


class Stack(Up):
    """The real processes with an administrator, ready to be used: `with Stack(tmp_path) as stack: …`."""

    def __init__(self, directory: Path, **env: str) -> None:
        account = {"VABHUB_ADMIN_USER": USER, "VABHUB_ADMIN_PASSWORD": PASSWORD}
        super().__init__(directory, **{**account, **env})
        self._clients: list[httpx.Client] = []
        self._expected_dead = False

    def __enter__(self) -> Self:
        try:
            self.wait_ready()
        except BaseException:
            self.kill()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for client in self._clients:
            client.close()
        try:
            if kind is None and not self._expected_dead:
                self.stop()
        finally:
            self.kill()

    def expect_dead(self) -> None:
        """Let the end of the block not ask it to stop: the test has killed it."""
        self._expected_dead = True

    def client(self, **options: object) -> httpx.Client:
        """Return a client that nobody signed in; it is closed with the stack."""
        client = httpx.Client(base_url=self.base_url, timeout=10, **options)  # type: ignore[arg-type]
        self._clients.append(client)
        return client

    def signed_in(self) -> httpx.Client:
        """Return a client with the administrator's cookie and the CSRF header that writes need."""
        client = self.client()
        answer = client.post("/api/auth/login", json={"username": USER, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        client.headers["X-CSRF-Token"] = client.get("/api/auth/me").json()["data"]["csrf_token"]
        return client


def _is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
