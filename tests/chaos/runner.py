"""Runs experiments, each in a process of its own, some of them side by side."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from tests.chaos.processes import ROOT, clean_environment
from tests.chaos.registry import Experiment, find
from tests.chaos.result import Result, Size

Chosen = tuple[Experiment, str]
_AT_MOST_S = {True: 420.0, False: 2400.0}
_LANES = {True: 5, False: 1}
_running: list[subprocess.Popen[bytes]] = []


def run_all(chosen: list[Chosen], *, short: bool, lanes: int | None, keep: Path | None) -> list[Result]:
    """Run all of them and return the results in the order of the table."""
    signal.signal(signal.SIGTERM, _stop)
    with tempfile.TemporaryDirectory(prefix="vabhub-chaos-") as temporary:
        directory = keep or Path(temporary)
        together = sorted((one for one in chosen if not one[0].alone), key=lambda one: -one[0].short_s)
        alone = [one for one in chosen if one[0].alone]
        found: dict[Chosen, Result] = {}
        for group, width in ((together, lanes or _LANES[short]), (alone, 1)):
            with ThreadPoolExecutor(width) as pool:
                done = pool.map(lambda one: _in_a_process(one, short=short, directory=directory), group)
                found.update(zip(group, done, strict=True))
        return [found[one] for one in chosen]


def run_one(name: str, backend: str, *, short: bool, directory: Path) -> int:
    """Run one experiment here; the result goes to stdout as JSON."""
    # Everything it has started must end with it, however it ends.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    experiment = find(name)
    result = Result(name, backend, judges_time=not short)
    began = time.monotonic()
    try:
        experiment.run(result, directory, Size(short))
    except Exception as error:  # noqa: BLE001 (the edge of a process: the table needs a row)
        result.misses.append(f"it could not be run to its end: {type(error).__name__}: {str(error)[:1500]}")
        traceback.print_exc()
    result.took_s = round(time.monotonic() - began, 1)
    sys.stdout.write(json.dumps(result.to_json(), default=str) + "\n")
    return 0 if result.passed else 1


def _stop(_number: int, _frame: object) -> None:
    """End the experiments, which end what they have started, and then this process."""
    for process in _running:
        process.terminate()
    for process in _running:
        with suppress(subprocess.TimeoutExpired):
            process.wait(30)
    os._exit(1)


def _in_a_process(one: Chosen, *, short: bool, directory: Path) -> Result:
    experiment, backend = one
    place = directory / f"{experiment.name}-{backend}"
    place.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "tests.chaos", "--one", experiment.name, "--backend", backend]
    command += ["--directory", str(place), *(["--short"] if short else [])]
    with (place / "experiment.err").open("wb") as errors:
        process = subprocess.Popen(
            command, cwd=ROOT, env=clean_environment(), stdout=subprocess.PIPE, stderr=errors
        )
        _running.append(process)
        output = _output(process, _AT_MOST_S[short])
    result = _read(output, experiment, backend)
    if result is None:
        said = (place / "experiment.err").read_text(errors="replace")[-1000:]
        result = Result(experiment.name, backend, misses=[f"it ended without a result: {said}"])
    mark = "ok  " if result.passed else "MISS"
    sys.stderr.write(
        f"{mark} {experiment.name:>8} {backend:<10} {result.took_s:6.1f} s  {experiment.fault}\n"
    )
    return result


def _output(process: subprocess.Popen[bytes], at_most_s: float) -> bytes:
    """Return what it wrote to its end; when that takes too long, let it clean up and return what there is."""
    try:
        return process.communicate(timeout=at_most_s)[0]
    except subprocess.TimeoutExpired:
        return b""
    finally:
        if process.poll() is None:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(30)
            process.kill()
            process.wait()


def _read(output: bytes, experiment: Experiment, backend: str) -> Result | None:
    lines = output.decode(errors="replace").strip().splitlines()
    if not lines or not lines[-1].startswith("{"):
        return None
    return Result(**json.loads(lines[-1]))
