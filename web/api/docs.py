"""`/api/openapi.json`, and the same for people at `/api/docs`, with no outside host."""

from __future__ import annotations

from flask import Blueprint, Response, current_app, render_template

from web.endpoint import Access, page
from web.openapi import document, sections

bp = Blueprint("docs", __name__)


@page(bp, "/openapi.json", access=Access.ANY)
def openapi() -> Response:
    """Return the description of every declared endpoint."""
    return Response(current_app.json.dumps(document(current_app)), mimetype="application/json")


@page(bp, "/docs", access=Access.ANY)
def docs() -> str:
    """Return the description as a page."""
    api = document(current_app)
    return render_template("docs.html", api=api, sections=sections(api))
