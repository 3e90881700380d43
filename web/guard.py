"""Refuses every request that the route's declaration does not allow. Nothing is open by accident."""

from __future__ import annotations

import hmac

from flask import Flask, current_app, redirect, request
from flask.typing import ResponseReturnValue

from vabhub import accounts
from vabhub.accounts import Scope
from vabhub.db import reading
from vabhub.errors import Conflict, Forbidden, Unauthorized
from vabhub.log import bind
from web.auth import Principal, identify
from web.endpoint import Access, access_of

CSRF_HEADER = "X-CSRF-Token"
CSRF_FIELD = "csrf_token"
_READS = frozenset({"GET", "HEAD", "OPTIONS"})


def init_app(app: Flask) -> None:
    """Put the guard before every request."""
    app.before_request(check)


def check() -> ResponseReturnValue | None:
    """Let the request pass, answer it with a redirect to sign in, or raise Unauthorized or Forbidden."""
    if request.url_rule is None:
        return None  # 404 or 405: there is no view to protect
    access = access_of(current_app.view_functions[request.url_rule.endpoint])
    if access is None:
        raise Forbidden("This route declares no access.")
    if access is Access.SETUP and account_exists() and request.path.startswith("/api"):
        raise Conflict("An account exists already: sign in instead.")
    if access in (Access.OPEN, Access.OWN) or (access is Access.SETUP and not account_exists()):
        _refuse_foreign_write()
        return None
    return _require(access)


def wants_page() -> bool:
    """Return whether a person's browser asks for a page, not a program for data."""
    if request.path.startswith("/api") or request.method not in {"GET", "HEAD"}:
        return False
    return request.accept_mimetypes.best_match(["text/html", "application/json"], "text/html") == "text/html"


def account_exists() -> bool:
    """Return whether the first account was made; once true it is not asked again."""
    if not current_app.extensions.get("vabhub_has_account"):
        with reading() as session:
            current_app.extensions["vabhub_has_account"] = accounts.has_account(session)
    return bool(current_app.extensions["vabhub_has_account"])


def _require(access: Scope | Access) -> ResponseReturnValue | None:
    principal = identify()
    if principal is None:
        if wants_page():
            return redirect("/login" if account_exists() else "/setup")
        raise Unauthorized("Sign in, or send a valid token.")
    bind(caller=f"{principal.kind}:{principal.session_id or principal.token_id}")
    if isinstance(access, Scope) and not principal.has(access):
        raise Forbidden(f"This needs the scope {access.value!r}.")
    _check_csrf(principal)
    return None


def _check_csrf(principal: Principal) -> None:
    # A token is never sent by a browser on its own, a cookie is.
    if principal.csrf_token is None or request.method in _READS:
        return
    given = request.headers.get(CSRF_HEADER) or _form_field()
    if not hmac.compare_digest(given.encode(), principal.csrf_token.encode()):
        raise Forbidden(f"A write with a cookie needs the header {CSRF_HEADER}.")


def _form_field() -> str:
    form = request.mimetype in {"application/x-www-form-urlencoded", "multipart/form-data"}
    return request.form.get(CSRF_FIELD, "") if form else ""


def _refuse_foreign_write() -> None:
    # Signing somebody in from another site would let that site watch what they do in its account.
    if request.method not in _READS and request.headers.get("Sec-Fetch-Site") == "cross-site":
        raise Forbidden("This form was sent by another site.")
