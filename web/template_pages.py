"""The pages of templates: what is written for each event, and the editor with its preview."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from flask import Flask, request
from flask.typing import ResponseReturnValue

from vabhub.accounts import Scope
from vabhub.db import reading
from vabhub.notify import channels_admin, events, templates_admin, trial
from vabhub.notify.default_words import default_language, default_texts
from vabhub.notify.trial import Preview
from web.endpoint import page
from web.page_kit import blueprint, translator
from web.settings_pages import draw_settings

_TEXTS = ("subject", "body", "markdown")
_LONGEST_EXAMPLE = 80


def init_app(app: Flask) -> None:
    """Give the pages' templates what they may call."""
    app.jinja_env.globals.update(pairs_of=_pairs_of)


@page(blueprint, "/settings/templates", access=Scope.ADMIN)
def template_list() -> ResponseReturnValue:
    """Draw every event with the templates that are written for it."""
    with reading() as session:
        templates, found = templates_admin.list_templates(session), trial.list_events(session)
    written: dict[str, list[dict[str, Any]]] = {}
    for row in templates:
        written.setdefault(row["event"], []).append(row)
    words = {row["event"]: _word(row["event"]) for row in found}
    return draw_settings(
        "settings/templates.html", "js/settings.js", events=found, written=written, words=words
    )


@page(blueprint, "/settings/templates/new", access=Scope.ADMIN)
def template_new() -> ResponseReturnValue:
    """Draw the editor with the words that are shipped for the event."""
    event = _clean(request.args.get("event", ""))[:100]
    texts = default_texts(event or events.PLAIN, default_language())
    blank = {"id": None, "event": event, "channel": None, "language": None, "last_error": None}
    shipped = {name: getattr(texts, name) for name in _TEXTS} if texts else dict.fromkeys(_TEXTS)
    return _editor({**blank, **shipped})


@page(blueprint, "/settings/templates/<id:template_id>", access=Scope.ADMIN)
def template_edit(template_id: int) -> ResponseReturnValue:
    """Draw the editor of one template."""
    with reading() as session:
        row = templates_admin.get_template(session, template_id)
    return _editor(row)


def _editor(row: Mapping[str, Any]) -> ResponseReturnValue:
    event = row["event"] or events.PLAIN
    texts = {name: row[name] or ("" if name == "body" else None) for name in _TEXTS}
    asked = Preview(event=event, channel=row["channel"], language=row["language"], **texts)
    with reading() as session:
        content: dict[str, Any] = {
            "template": row,
            "preview": trial.preview(session, asked),
            "recent": trial.recent(session, event),
            "channels": [one["name"] for one in channels_admin.list_channels(session) if not one["builtin"]],
        }
    variables = list(_variables(trial.sample(event, row["language"], row["channel"])))
    boot = {"id": row["id"], "clean": bool(row["id"])}
    return draw_settings(
        "settings/template.html", "js/template.js", boot=boot, variables=variables, **content
    )


def _variables(values: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """Yield each variable as it is written in a template, with an example; those in `data` by their names."""
    for name, value in values.items():
        if name == "data":
            yield from _variables({f"data.{inner}": one for inner, one in value.items()})
        else:
            example = "" if value is None else str(value)
            yield {"name": name, "example": example[:_LONGEST_EXAMPLE]}


def _word(event: str) -> str:
    """Return what an event is called in the reader's language; its name when it has no word."""
    texts = translator()
    return texts.text(f"template_event.{event}") if texts.has(f"template_event.{event}") else event


def _pairs_of(values: Iterable[str]) -> list[tuple[str, str]]:
    """Return options whose words are their values."""
    return [(value, value) for value in values]


def _clean(text: str) -> str:
    return text.replace("\x00", "")  # PostgreSQL cannot even be asked for U+0000
