"""`vabhub up`, from the checks to the last process's end."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

from vabhub import redis_server
from vabhub.errors import SettingsError
from vabhub.supervisor import procfile
from vabhub.supervisor.child import Child, child_env
from vabhub.supervisor.lock import DataLock
from vabhub.supervisor.output import Output
from vabhub.supervisor.plan import Plan, make_plan, refuse_taken_port
from vabhub.supervisor.probe import Probe
from vabhub.supervisor.supervisor import Supervisor

# Redis says LOADING while it reads a long append-only file; only silence is held against it.
_REDIS_SILENT_S = 15.0
_ASK_AGAIN_S = 0.25
_STILL_NOT_READY_S = 60.0


def up(procfile_path: Path | None = None) -> int:
    """Run everything until a signal; return the exit code. Raises VabHubError when the start is refused."""
    path = procfile_path or procfile.default_path()
    lines = procfile.read(path)
    plan = make_plan()
    lock = DataLock(Path(plan.data_dir))
    lock.take(plan.url)
    refuse_taken_port(plan)
    env = child_env(VABHUB_DATA_DIR=plan.data_dir)
    _release(lines.pop(procfile.RELEASE, None), path.parent, env)
    names = ["vabhub", *lines] + (["redis"] if plan.redis_socket else [])
    output = Output(names, json_lines=plan.json_lines, colours=not env.get("NO_COLOR"))
    if plan.unknown:
        output.say(f"warning: no setting has this name: {_suggest(plan.unknown)}")
    return _Run(plan, output, path.parent, env).run(list(lines.values()))


def _suggest(unknown: dict[str, str | None]) -> str:
    return ", ".join(f"{name} (meant {meant}?)" if meant else name for name, meant in unknown.items())


def _release(line: procfile.Line | None, cwd: Path, env: dict[str, str]) -> None:
    """Run the release line (the migration) to its end; its own words explain a failure."""
    if line is None:
        return
    done = subprocess.run(
        line.argv(),
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    if done.returncode != 0:
        said = [text for text in done.stdout.decode("utf-8", "replace").splitlines() if text.strip()]
        reason = said[-1].removeprefix("vabhub: ") if said else f"exit code {done.returncode}"
        raise SettingsError(f"preparing the database failed: {reason}")


class _Run:
    def __init__(self, plan: Plan, output: Output, cwd: Path, env: dict[str, str]) -> None:
        self._plan = plan
        self._output = output
        self._cwd = cwd
        self._env = env
        self._supervisor = Supervisor(output)

    def run(self, lines: list[procfile.Line]) -> int:
        try:
            if self._plan.redis_socket:
                self._start_redis(Path(self._plan.redis_socket))
            for line in lines:
                self._supervisor.add(Child(line.name, line.argv(), cwd=self._cwd, env=self._env))
            self._say_when_ready()
            while not self._supervisor.stop_asked:
                self._supervisor.step()
            self._output.say(f"stopping ({self._supervisor.why_stopping})")
        finally:
            self._supervisor.stop()
        self._output.say("stopped")
        return 0

    def _start_redis(self, socket_path: Path) -> None:
        server = redis_server.find_server()
        if server is None:
            raise SettingsError(redis_server.MISSING)
        store = Path(self._plan.data_dir) / "redis"
        redis_server.prepare(socket_path, store)
        command = redis_server.command(server, socket_path, store)
        redis = Child("redis", command, cwd=store, env=self._env, noise=redis_server.NOISE)
        self._supervisor.add(redis)
        silent_since = time.monotonic()

        def settled() -> bool:
            nonlocal silent_since
            answer = redis_server.ask(socket_path)
            if answer is redis_server.Answer.LOADING:
                silent_since = time.monotonic()
            silent = time.monotonic() - silent_since > _REDIS_SILENT_S
            return answer is redis_server.Answer.READY or redis.pid is None or silent

        while not settled() and not self._supervisor.stop_asked:
            self._supervisor.step(0.02)
        if not self._supervisor.stop_asked and redis_server.ask(socket_path) is not redis_server.Answer.READY:
            last = b" ".join(redis.lines.last).decode("utf-8", "replace")
            raise SettingsError(f"the embedded Redis ({server}) does not start: {last or 'it said nothing'}")

    def _say_when_ready(self) -> None:
        probe = Probe(self._plan.address, self._plan.port)
        if not self._answers(probe, "/readyz"):
            return
        self._output.say(f"VabHub is ready at {self._plan.url}")
        # /setup is open only until the first account exists.
        if self._ask(probe, "/setup") == 200:
            self._output.say(f"First start: create the administrator at {self._plan.url}/setup")

    def _answers(self, probe: Probe, path: str) -> bool:
        complain_at = time.monotonic() + _STILL_NOT_READY_S
        while not self._supervisor.stop_asked:
            status = self._ask(probe, path)
            if status == 200:
                return True
            if time.monotonic() >= complain_at:
                complain_at += _STILL_NOT_READY_S
                said = f"{path} answers {status}: {probe.body[:300]}" if status else f"{path} does not answer"
                self._output.say(f"still not ready: {said}")
            self._supervisor.run_until(lambda: False, _ASK_AGAIN_S, _ASK_AGAIN_S)
        return False

    def _ask(self, probe: Probe, path: str) -> int:
        """Return the answer's status, 0 without one; the children are tended meanwhile."""
        probe.ask(path)
        while probe.is_waiting() and not self._supervisor.stop_asked:
            status = probe.status()
            if status is not None:
                return status
            self._supervisor.step(0.02)
        probe.close()
        return 0
