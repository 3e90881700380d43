"""The pages about channels say what the code does."""

from __future__ import annotations

import re
import ssl
import sys
import types
from pathlib import Path

import pytest

from scripts.channels_doc import as_markdown
from tests.contracts.channels import providers
from tests.contracts.channels.harness import EXPECTED, HttpHarness
from tests.contracts.channels.providers import Provider
from vabhub.channels.parts import PartedChannel
from vabhub.channels.registry import kinds

DOCS = Path(__file__).parents[3] / "docs"
WALK = (DOCS / "add-a-channel.md").read_text(encoding="utf-8")


def test_the_page_of_channels_is_made_from_the_code() -> None:
    page = (DOCS / "channels.md").read_text(encoding="utf-8")
    assert as_markdown() == page, "run: python -m scripts.channels_doc > docs/channels.md"
    for kind, channel in kinds().items():
        assert f"### {kind}\n" in page
        for name in channel.Settings.model_fields:
            assert f"`{name}`" in page


@pytest.fixture(scope="module")
def walked() -> tuple[type[PartedChannel], Provider]:
    """The channel and the cases that the walk-through has its reader write."""
    code, cases = re.findall(r"```python\n(.*?)```", WALK, re.DOTALL)
    module = types.ModuleType("pigeon")
    sys.modules["pigeon"] = module  # where pydantic looks for the names in annotations
    exec(compile(code, "docs/add-a-channel.md", "exec"), module.__dict__)
    provider = eval(compile(cases, "docs/add-a-channel.md", "eval"), vars(providers))
    return module.CHANNEL, provider


@pytest.mark.parametrize("case", EXPECTED)
def test_the_walk_through_ends_with_a_channel_that_passes_the_suite(
    case: str,
    walked: tuple[type[PartedChannel], Provider],
    tls: ssl.SSLContext,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    channel, provider = walked
    harness = HttpHarness("pigeon", provider, tls, monkeypatch)
    harness.make = lambda settings: channel(channel.Settings.model_validate(settings))
    assert harness.run(case).kind is EXPECTED[case]


def test_what_the_walk_through_names_is_there() -> None:
    for path in re.findall(r"`((?:vabhub|tests|docs|scripts)/[\w./-]+)`", WALK):
        assert path.endswith("pigeon.py") or (DOCS.parent / path).exists(), path
