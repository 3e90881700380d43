"""What every page shares: its blueprint, the reader's language, and how it is drawn."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, g, redirect, render_template, request
from flask.typing import ResponseReturnValue

from vabhub import __version__
from web import auth, i18n

blueprint = Blueprint("pages", __name__)


@blueprint.before_request
def switch_language() -> ResponseReturnValue | None:
    """Keep the language of `?lang=` in a cookie and lead back to the same page."""
    chosen = request.args.get("lang")
    if chosen not in i18n.LOCALES or request.method != "GET":
        return None
    rest = urlencode([pair for pair in request.args.items(multi=True) if pair[0] != "lang"])
    # From this request's own path only: no address from outside can come in.
    response = redirect(f"/{request.path.lstrip('/')}" + (f"?{rest}" if rest else ""), HTTPStatus.SEE_OTHER)
    response.set_cookie(
        i18n.COOKIE, chosen, max_age=365 * 86400, samesite="Lax", httponly=True, secure=request.is_secure
    )
    return response


def translator() -> i18n.Translator:
    """Return the texts of the reader's language."""
    if "translator" not in g:
        g.translator = i18n.Translator(i18n.choose_locale())
    found: i18n.Translator = g.translator
    return found


def draw(template: str, section: str, content: dict[str, Any]) -> str:
    """Return a page of the application; `section` is its place in the header."""
    person = auth.current()
    more = {"section": section, "user": person.name, "csrf_token": person.csrf_token or ""}
    return render(template, **content, **more)


def render(template: str, /, **content: Any) -> str:
    """Return a template drawn in the reader's language."""
    texts = translator()
    return render_template(
        template,
        **content,
        locale=texts.locale,
        t=texts.text,
        tn=texts.count,
        version=__version__,
    )
