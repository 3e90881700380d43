"""The pages under /settings: channels by form, export and import."""

from __future__ import annotations

from typing import Any

from flask import Flask, Response, request
from flask.typing import ResponseReturnValue

from vabhub.accounts import Scope
from vabhub.clock import utcnow
from vabhub.collectors import services
from vabhub.db import reading
from vabhub.errors import NotFound
from vabhub.notify import channels_admin, templates_admin
from vabhub.notify.backlog import count_open
from vabhub.notify.exporting import Secrets, export
from vabhub.settings import get_settings
from web import channel_words, first_paint, schema_form
from web.endpoint import page
from web.page_kit import blueprint, draw, translator

_WAITING = ("pending", "sending", "retrying")


def init_app(app: Flask) -> None:
    """Give the pages' templates what they may call."""
    app.jinja_env.globals.update(channel_words.TEMPLATE_FUNCTIONS)


@page(blueprint, "/settings", access=Scope.ADMIN)
def settings_overview() -> ResponseReturnValue:
    """Draw where each part of the settings is, and what needs attention."""
    with reading() as session:
        channels = channels_admin.list_channels(session)
        templates = templates_admin.list_templates(session)
        found = services.list_services(session, get_settings())
    return draw_settings(
        "settings/overview.html", "js/settings.js", channels=channels, templates=templates, services=found
    )


@page(blueprint, "/settings/channels", access=Scope.ADMIN)
def channel_list() -> ResponseReturnValue:
    """Draw every channel with its state and reason."""
    with reading() as session:
        channels, waiting = channels_admin.list_channels(session), _waiting(session)
    kinds = {kind["kind"]: kind for kind in channels_admin.kinds()}
    return draw_settings(
        "settings/channels.html",
        "js/channels.js",
        boot={"channels": channels, "waiting": waiting, "kinds": _names(kinds)},
        channels=channels,
        kinds=kinds,
        waiting=waiting,
    )


@page(blueprint, "/settings/transfer", access=Scope.ADMIN)
def transfer() -> ResponseReturnValue:
    """Draw export and import."""
    return draw_settings("settings/transfer.html", "js/transfer.js")


@page(blueprint, "/settings/export", access=Scope.ADMIN, methods=("POST",))
def export_file() -> ResponseReturnValue:
    """Answer with the file of channels and templates; the form works without JavaScript."""
    asked = request.form.get("secrets", "")
    with reading() as session:
        made = export(session, Secrets(asked) if asked in set(Secrets) else Secrets.MASKED)
    headers = {"Content-Disposition": f"attachment; filename=vabhub-{utcnow():%Y-%m-%d}.yaml"}
    return Response(made.yaml, mimetype="application/yaml", headers=headers)


@page(blueprint, "/settings/new-channel", access=Scope.ADMIN)
def channel_new() -> ResponseReturnValue:
    """Draw the kinds to choose from, or the form of the chosen one."""
    kinds = {kind["kind"]: kind for kind in channels_admin.kinds() if kind["kind"] not in _builtin()}
    chosen = kinds.get(request.args.get("kind", ""))
    if chosen is None:
        return draw_settings("settings/kinds.html", "js/settings.js", kinds=kinds)
    return _form(chosen, None)


@page(blueprint, "/settings/channels/<name>", access=Scope.ADMIN)
def channel_edit(name: str) -> ResponseReturnValue:
    """Draw one channel's form."""
    with reading() as session:
        channel = channels_admin.get_channel(session, name)
    kind = next((kind for kind in channels_admin.kinds() if kind["kind"] == channel["kind"]), None)
    if kind is None:
        raise NotFound(f"There is no channel kind {channel['kind']!r}.")
    return _form(kind, channel)


def _form(kind: dict[str, Any], channel: dict[str, Any] | None) -> ResponseReturnValue:
    values = channel["settings"] if channel else {}
    found = schema_form.fields(kind["schema"], values, translator().locale)
    name = channel["name"] if channel else None
    return draw_settings(
        "settings/channel.html",
        "js/channel.js",
        boot={"name": name, "kind": kind["kind"], "builtin": bool(channel and channel["builtin"])},
        channel=channel,
        kind=kind,
        fields=found,
    )


def draw_settings(
    template: str, entry: str, /, *, boot: dict[str, Any] | None = None, **content: Any
) -> ResponseReturnValue:
    """Return a page of the settings; `boot` is what its script starts with."""
    shell = first_paint.shell(translator(), get_settings(), entry=entry, page=boot or {})
    return draw(template, "settings", {**content, **shell})


def _names(kinds: dict[str, Any]) -> dict[str, Any]:
    return {name: kind.get("label") for name, kind in kinds.items()}


def _waiting(session: Any) -> dict[str, int]:
    rows = count_open(session)["channels"]
    return {row["channel"]: sum(row[state] for state in _WAITING) for row in rows}


def _builtin() -> frozenset[str]:
    with reading() as session:
        return frozenset(row["kind"] for row in channels_admin.list_channels(session) if row["builtin"])
