"""The pages under /settings/services: programs by form, tried before they are saved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Flask, request
from flask.typing import ResponseReturnValue

from vabhub.accounts import Scope
from vabhub.collectors import services
from vabhub.db import reading
from vabhub.errors import Conflict, NotFound
from vabhub.settings import get_settings
from web import first_paint, schema_form
from web.endpoint import page
from web.page_kit import blueprint, draw, translator


def init_app(app: Flask) -> None:
    """Give the pages' templates what they may call."""
    app.jinja_env.globals.update(service_state=service_state)


def service_state(service: Mapping[str, Any], seen: Mapping[str, Any]) -> str:
    """Return how a service answers: online, offline, error, unknown, or off; the same as js/services.js."""
    if not service.get("enabled"):
        return "off"
    return "unknown" if service.get("shadowed") else str(seen.get("status") or "unknown")


@page(blueprint, "/settings/services", access=Scope.ADMIN)
def service_list() -> ResponseReturnValue:
    """Draw every service, and how it answers."""
    with reading() as session:
        found = services.list_services(session, get_settings())
    kinds = _kinds()
    labels = {name: kind["label"] for name, kind in kinds.items()}
    first = first_paint.downloads_reading()
    return _draw(
        "settings/services.html",
        "js/services.js",
        boot={"services": found, "kinds": labels},
        first={"downloads": {"data": first.data, "meta": first.meta}},
        services=found,
        kinds=kinds,
        states=(first.data or {}).get("downloaders") or {},
    )


@page(blueprint, "/settings/new-service", access=Scope.ADMIN)
def service_new() -> ResponseReturnValue:
    """Draw the kinds to choose from, or the form of the chosen one."""
    kinds = _kinds()
    chosen = kinds.get(request.args.get("kind", ""))
    if chosen is None:
        return _draw("settings/service_kinds.html", "js/settings.js", kinds=kinds)
    return _form(chosen, None)


@page(blueprint, "/settings/services/<name>", access=Scope.ADMIN)
def service_edit(name: str) -> ResponseReturnValue:
    """Draw one service's form."""
    with reading() as session:
        service = services.get_service(session, get_settings(), name)
    if service["source"] != "page":
        raise Conflict(f"The service {name!r} is set in the environment.")
    kind = _kinds().get(service["kind"])
    if kind is None:
        raise NotFound(f"There is no kind {service['kind']!r}.")
    return _form(kind, service)


def _form(kind: dict[str, Any], service: dict[str, Any] | None) -> ResponseReturnValue:
    values = service["settings"] if service else {}
    return _draw(
        "settings/service.html",
        "js/service.js",
        boot={"name": service["name"] if service else None, "kind": kind["kind"]},
        service=service,
        kind=kind,
        fields=schema_form.fields(kind["schema"], values, translator().locale),
    )


def _draw(
    template: str,
    entry: str,
    *,
    boot: dict[str, Any] | None = None,
    first: dict[str, Any] | None = None,
    **content: Any,
) -> ResponseReturnValue:
    shell = first_paint.shell(translator(), get_settings(), entry=entry, page=boot or {}, first=first or {})
    return draw(template, "settings", {**content, **shell})


def _kinds() -> dict[str, dict[str, Any]]:
    return {kind["kind"]: kind for kind in services.kinds()}
