"""Rules of the house that no tool checks: queues, settings, the environment, the names of providers."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.settings_doc import as_markdown
from vabhub.channels import registry
from vabhub.queues import Queue, Task
from vabhub.settings import VARIABLES, Settings

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("vabhub", "web", "workers", "scheduler")
SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))

# The supervisor hands the environment on to its children; nobody else has business with it.
MAY_READ_THE_ENVIRONMENT = {"vabhub/settings.py", "vabhub/supervisor/child.py"}


def test_there_is_something_to_check() -> None:
    assert len(SOURCES) > 50


def test_every_queue_is_consumed_and_every_task_has_an_actor(settings: Settings) -> None:
    # In a process of its own: an actor belongs to the broker there was when its module was first imported.
    program = (
        "import json; from vabhub.settings import get_settings; from workers import boot;"
        "broker = boot.load_actors(); workers = boot.make_workers(broker, get_settings());"
        "queues = [queue for worker in workers for queue in worker.consumer_whitelist];"
        "print(json.dumps([sorted(queues), list(broker.actors)]))"
    )
    env = {**os.environ, "VABHUB_DATA_DIR": str(settings.data_dir), "REDIS_URL": settings.redis_url}
    told = subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=env, capture_output=True, check=True)
    queues, actors = json.loads(told.stdout)
    assert queues == sorted(queue.value for queue in Queue)
    assert set(actors) >= {task.value for task in Task}


def test_every_setting_is_documented() -> None:
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    assert as_markdown() == page, "run: python -m scripts.settings_doc > docs/settings.md"
    for variable in VARIABLES:
        assert f"`{variable}`" in page


def test_every_setting_has_a_variable() -> None:
    resolved_only = {"redis_is_embedded"}
    assert set(VARIABLES.values()) == set(Settings.model_fields) - resolved_only


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_says_what_it_is_for_and_leaves_the_environment_alone(path: Path) -> None:
    name = str(path.relative_to(ROOT))
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert not tree.body or ast.get_docstring(tree), f"{name} does not say what it is for"
    if name not in MAY_READ_THE_ENVIRONMENT:
        assert not [node.lineno for node in ast.walk(tree) if _reads_environment(node)], name


def test_no_file_but_its_own_names_a_provider() -> None:
    kinds = set(registry.kinds()) - {
        "system",
        "webhook",
        "email",
        "push",
    }  # these are words of the trade, not providers
    assert kinds
    words = re.compile("|".join(rf"\b{kind}\b" for kind in sorted(kinds)), re.IGNORECASE)
    offenders = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in SOURCES
        if path.parent.name != "channels"
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if words.search(line)
    ]
    assert offenders == []


def test_channels_do_not_know_one_another() -> None:
    folder = ROOT / "vabhub" / "channels"
    providers = {kind for kind in registry.kinds() if (folder / f"{kind}.py").exists()}
    assert providers
    for provider in providers:
        text = (folder / f"{provider}.py").read_text(encoding="utf-8")
        imported = set(re.findall(r"from vabhub\.channels\.(\w+)", text))
        assert not imported & providers, provider


def _reads_environment(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv"} and _is_os(node.value)


def _is_os(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and node.id == "os"
