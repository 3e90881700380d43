"""The short form of every experiment; the whole form is `make chaos`."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.registry import EXPERIMENTS

ROOT = Path(__file__).resolve().parents[2]
_AT_MOST_S = 1500  # six minutes on two quiet cores; this is for machines that are neither

ROWS = [(experiment.name, backend) for experiment in EXPERIMENTS for backend in experiment.backends]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[tuple[str, str], dict[str, Any]]]:
    """Run all of them once, side by side, and return each result by its row of the table."""
    directory = tmp_path_factory.mktemp("chaos")
    path = directory / "results.json"
    command = [sys.executable, "-m", "tests.chaos", "--short", "--json", str(path)]
    process = subprocess.Popen([*command, "--directory", str(directory)], cwd=ROOT)
    try:
        process.wait(_AT_MOST_S)
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(60)
    found = json.loads(path.read_text(encoding="utf-8"))
    yield {(result["experiment"], result["backend"]): result for result in found}


@pytest.mark.timeout(_AT_MOST_S + 90)
@pytest.mark.parametrize(("name", "backend"), ROWS)
def test_the_line_is_held(results: dict[tuple[str, str], dict[str, Any]], name: str, backend: str) -> None:
    result = results[name, backend]
    assert result["misses"] == [], result["measured"]
