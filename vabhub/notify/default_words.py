"""The hub's own words, shipped in `templates/`, one file a language."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from vabhub.settings import get_settings

LANGUAGES = ("zh", "en")
_FOLDER = Path(__file__).parent / "templates"


@dataclass(frozen=True, slots=True)
class Texts:
    """Three Jinja sources, or what became of them. No subject: the title; no markdown: the body."""

    subject: str | None
    body: str
    markdown: str | None = None


def default_language() -> str:
    """Return the language of a channel that has none of its own."""
    return get_settings().locale or "en"


def default_texts(event: str, language: str) -> Texts | None:
    """Return the shipped words of an event; None for an event that is not the hub's own."""
    return _shipped(language).get(event)


@cache
def _shipped(language: str) -> dict[str, Texts]:
    import yaml

    content = yaml.safe_load((_FOLDER / f"{language}.yaml").read_text(encoding="utf-8"))
    return {event: Texts(**texts) for event, texts in content.items()}
