"""Both languages are complete, and no text that a person sees stands outside the catalogue."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from web import i18n

WEB = Path(i18n.__file__).parent
# The interface's documentation is written in English, as the interface is.
TEMPLATES = sorted(path for path in (WEB / "templates").rglob("*.html") if path.name != "docs.html")
SCRIPTS = sorted((WEB / "static" / "js").rglob("*.js"))

JINJA = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
IN_ATTRIBUTE = re.compile(r"\{% block (?:body_class|autocomplete) %\}.*?\{% endblock %\}")
COMMENT = re.compile(r"/\*.*?\*/|(?<![:\"'`])//[^\n]*", re.DOTALL)
LITERAL = re.compile(r"\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`")
SENTENCE = re.compile(r"[A-Z][a-z]+ [a-z]+|[\u4e00-\u9fff]")
USED = re.compile(r"""\bt(?:n|ext)?\(\s*["']([\w.]+)["']\s*[,)]""")

# Names, and each language under its own name.
NOT_TRANSLATED = {"VabHub", "EN", "中", "English", "中文", "html"}


def test_both_languages_have_the_same_keys() -> None:
    assert set(i18n.catalogue("zh")) == set(i18n.catalogue("en"))


def test_both_languages_take_the_same_values() -> None:
    for key, english in i18n.catalogue("en").items():
        if not key.endswith(".next"):  # one language quotes the server, the other explains
            assert _values(english) == _values(i18n.catalogue("zh")[key]), key


def test_plural_texts_have_the_forms_of_their_language() -> None:
    for locale, forms in (("en", {"one", "other"}), ("zh", {"other"})):
        plurals = {k: v for k, v in i18n.catalogue(locale).items() if isinstance(v, dict)}
        assert plurals
        assert all(set(text) == forms for text in plurals.values())


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_a_template_holds_no_text_of_its_own(path: Path) -> None:
    page = BeautifulSoup(
        JINJA.sub("\n", IN_ATTRIBUTE.sub("", path.read_text(encoding="utf-8"))), "html.parser"
    )
    for code in page.find_all("code"):
        code.decompose()
    seen = [line.strip(" ·") for text in page.find_all(string=True) for line in text.splitlines()]
    seen += [
        str(tag[name])
        for tag in page.find_all(True)
        for name in ("aria-label", "title", "alt")
        if tag.get(name)
    ]
    assert {text for text in seen if re.search(r"[^\W\d_]{2}|[\u4e00-\u9fff]", text)} <= NOT_TRANSLATED


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_a_script_holds_no_text_of_its_own(path: Path) -> None:
    literals = LITERAL.findall(COMMENT.sub("", path.read_text(encoding="utf-8")))
    assert [text for text in literals if SENTENCE.search(text)] == []


def test_every_text_that_is_asked_for_exists() -> None:
    sources = [*TEMPLATES, *SCRIPTS, WEB / "pages.py"]
    used = {key for path in sources for key in USED.findall(path.read_text(encoding="utf-8"))}
    assert len(used) > 50
    assert used - set(i18n.catalogue("en")) == set()


def test_scripts_never_write_markup() -> None:
    writing = re.compile(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function")
    assert [path.name for path in SCRIPTS if writing.search(path.read_text(encoding="utf-8"))] == []


def test_no_template_has_an_inline_script_or_style() -> None:
    for path in TEMPLATES:
        page = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
        assert not [tag for tag in page.find_all("script") if not tag.get("src")], path.name
        assert not page.find_all("style"), path.name
        assert not page.find_all(style=True), path.name
        assert not [tag for tag in page.find_all(True) for name in tag.attrs if name.startswith("on")], (
            path.name
        )


def _values(message: str | dict[str, str]) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", message if isinstance(message, str) else message["other"]))
