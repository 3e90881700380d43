"""The catalogue of both languages, and which of them a request gets."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from flask import request

from vabhub.settings import get_settings

LOCALES = ("zh", "en")
COOKIE = "vabhub_locale"
_FOLDER = Path(__file__).parent / "i18n"

Message = str | dict[str, str]


@cache
def catalogue(locale: str) -> dict[str, Message]:
    """Return all texts of one language: plain ones, and plural ones as {"one", "other"}."""
    texts: dict[str, Message] = json.loads((_FOLDER / f"{locale}.json").read_text(encoding="utf-8"))
    return texts


def choose_locale() -> str:
    """Return the language of this request: the reader's own choice, else the setting, else the browser's."""
    chosen = request.cookies.get(COOKIE)
    if chosen in LOCALES:
        return chosen
    return get_settings().locale or _from_browser()


def _from_browser() -> str:
    for tag, _quality in request.accept_languages:
        language = tag.replace("_", "-").split("-")[0].lower()
        if language in LOCALES:
            return language
    return "en"


class Translator:
    """Looks texts up in one language; raises KeyError for a key nobody wrote."""

    def __init__(self, locale: str) -> None:
        self.locale = locale
        self._texts = catalogue(locale)

    def text(self, key: str, **values: Any) -> str:
        """Return a text with its {placeholders} filled; a plural text counts by `n`."""
        message = self._texts[key]
        if isinstance(message, dict):
            message = _plural(message, values["n"])
        for name, value in values.items():
            message = message.replace(f"{{{name}}}", str(value))
        return message

    def count(self, key: str, n: int) -> str:
        """Return a plural text for `n` things."""
        return self.text(key, n=n)

    def has(self, key: str) -> bool:
        """Return whether the catalogue holds this key."""
        return key in self._texts


def _plural(forms: dict[str, str], n: int) -> str:
    return forms["one"] if n == 1 and "one" in forms else forms["other"]
