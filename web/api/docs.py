"""`/api/openapi.json`, and the same for people at `/api/docs`, with no outside host."""

from __future__ import annotations

import re

from flask import Blueprint, Response, current_app, render_template
from markupsafe import Markup, escape

from web.endpoint import Access, page
from web.openapi import document, sections

bp = Blueprint("docs", __name__)

_BETWEEN_BACKTICKS = re.compile(r"`([^`]+)`")


@page(bp, "/openapi.json", access=Access.ANY)
def openapi() -> Response:
    """Return the description of every declared endpoint."""
    return Response(current_app.json.dumps(document(current_app)), mimetype="application/json")


@page(bp, "/docs", access=Access.ANY)
def docs() -> str:
    """Return the description as a page."""
    api = document(current_app)
    return render_template("docs.html", api=api, sections=sections(api))


@bp.app_template_filter("code")
def code(text: str) -> Markup:
    """Return text as markup, with what stands between backticks as code."""
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if number % 2 else escape(part)
        for number, part in enumerate(_BETWEEN_BACKTICKS.split(text))
    )
