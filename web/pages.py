"""The pages: overview, sign-in, first start. All of them work without JavaScript; with it they are live."""

from __future__ import annotations

from http import HTTPStatus

from flask import Flask, Response, make_response, redirect, request
from flask.typing import ResponseReturnValue

from vabhub import accounts
from vabhub.accounts import PASSWORD_LENGTH, Scope
from vabhub.db import transaction
from vabhub.errors import Conflict, RateLimited, Unauthorized, Unavailable, VabHubError, ValidationFailed
from vabhub.settings import get_settings
from web import assets, auth, delivery_words, first_paint, library_paint, queue_paint, system_paint
from web.endpoint import Access, page
from web.guard import account_exists
from web.page_kit import blueprint, draw, render, translator


def init_app(app: Flask) -> None:
    """Register the pages and what their templates may call."""
    app.register_blueprint(blueprint)
    app.jinja_env.globals.update(first_paint.TEMPLATE_FUNCTIONS, static_url=assets.static_url)
    app.jinja_env.globals.update(delivery_words.TEMPLATE_FUNCTIONS)
    app.jinja_env.globals.update(library_paint.TEMPLATE_FUNCTIONS)
    app.jinja_env.filters.update(first_paint.TEMPLATE_FILTERS)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True


@page(blueprint, "/", access=Scope.READ)
def overview() -> str:
    """Draw the overview with its first numbers."""
    return draw("index.html", "overview", first_paint.overview(translator(), get_settings()))


@page(blueprint, "/downloads", access=Scope.READ)
def downloads() -> str:
    """Draw the list of all downloads."""
    return draw("downloads.html", "downloads", first_paint.downloads(translator(), get_settings()))


@page(blueprint, "/library", access=Scope.READ)
def library() -> str:
    """Draw the roots of the library, what could not be read in them, and copies."""
    return draw("library.html", "library", library_paint.page(translator(), get_settings(), request.args))


@page(blueprint, "/system", access=Scope.READ)
def system() -> str:
    """Draw how the web processes do."""
    return draw("system.html", "system", system_paint.system(translator(), get_settings()))


@page(blueprint, "/queue", access=Scope.READ)
def queue() -> str:
    """Draw what is on its way or failed."""
    return draw("queue.html", "queue", queue_paint.queue(translator(), get_settings(), request.args))


@page(blueprint, "/queue/resend", access=Scope.CONTROL, methods=("POST",))
def resend_dead() -> ResponseReturnValue:
    """Start the counted dead deliveries anew, for a browser without JavaScript."""
    return redirect(queue_paint.resend(request.form), HTTPStatus.SEE_OTHER)


@page(blueprint, "/notifications/<id:notification_id>", access=Scope.READ)
def notification(notification_id: int) -> str:
    """Draw one notification with the timeline of its deliveries."""
    content = queue_paint.notification(translator(), get_settings(), notification_id)
    return draw("notification.html", "queue", content)


@page(blueprint, "/login", access=Access.OPEN, methods=("GET", "POST"))
def login() -> ResponseReturnValue:
    """Draw the sign-in form, or sign in and lead on."""
    if request.method == "POST":
        return _sign_in()
    if not account_exists():
        return redirect("/setup")
    if auth.identify() is not None:
        return redirect(_next())
    return _form("login.html")


@page(blueprint, "/setup", access=Access.SETUP, methods=("GET", "POST"))
def setup() -> ResponseReturnValue:
    """Draw the first form, or create the administrator and sign in."""
    if account_exists():
        return redirect("/")
    return _create_admin() if request.method == "POST" else _form("setup.html")


@page(blueprint, "/logout", access=Access.ANY, methods=("POST",))
def logout() -> Response:
    """End this browser's session."""
    response = make_response(redirect("/login", HTTPStatus.SEE_OTHER))
    auth.sign_out(response)
    return response


@page(blueprint, "/static/v-<asked_version>/<path:name>", access=Access.OPEN)
def asset(asked_version: str, name: str) -> Response:
    """Answer with a static file."""
    return assets.send(asked_version, name)


@page(blueprint, "/sw.js", access=Access.OPEN)
def service_worker() -> Response:
    """Answer with the service worker, which must stand at the root to serve every page."""
    response = assets.send(assets.version(), "js/sw.js")
    response.headers["Cache-Control"] = "no-cache"
    return response


def error_page(status: int, headers: dict[str, str] | None = None) -> Response:
    """Return the page that tells a person what went wrong, in their language."""
    texts = translator()
    known = status if texts.has(f"error.{status}.title") else 500 if status >= 500 else 404
    text = texts.text(f"error.{known}.text")
    body = render("error.html", status=status, title=texts.text(f"error.{known}.title"), text=text)
    return Response(body, status=status, headers=headers or {}, mimetype="text/html")


def _sign_in() -> ResponseReturnValue:
    response = make_response(redirect(_next(), HTTPStatus.SEE_OTHER))
    try:
        auth.sign_in(request.form.get("username", ""), request.form.get("password", ""), response)
    except (Unauthorized, RateLimited, Unavailable) as error:
        return _form("login.html", error=_login_error(error)), error.http_status
    return response


def _login_error(error: VabHubError) -> str:
    translate = translator().text
    if isinstance(error, RateLimited):
        return translate("login.limited", n=round(error.retry_after_s))
    return translate("login.unavailable" if isinstance(error, Unavailable) else "login.wrong")


def _create_admin() -> ResponseReturnValue:
    response = make_response(redirect("/", HTTPStatus.SEE_OTHER))
    username, password = request.form.get("username", ""), request.form.get("password", "")
    try:
        with transaction() as session:
            user = accounts.create_first_admin(session, username, password)
    except ValidationFailed as error:
        return _form("setup.html", field_errors=_field_errors(error)), error.http_status
    except Conflict as error:
        return _form("login.html", error=translator().text("setup.taken")), error.http_status
    except Unavailable as error:
        return _form("setup.html", error=translator().text("login.unavailable")), error.http_status
    auth.start_session(user, response)
    return response


def _field_errors(error: ValidationFailed) -> dict[str, str]:
    translate = translator().text
    least, most = PASSWORD_LENGTH
    texts = {
        "username": translate("setup.username_bad"),
        "password": translate("setup.password_short", n=least, max=most),
    }
    return {one.field: texts.get(one.field, one.message) for one in error.errors}


def _form(template: str, *, error: str = "", field_errors: dict[str, str] | None = None) -> str:
    return render(
        template,
        action="/" + template.removesuffix(".html"),
        error=error,
        field_errors=field_errors or {},
        username=request.form.get("username", "")[:64],
        next=_next(),
        password_min=PASSWORD_LENGTH[0],
    )


def _next() -> str:
    """Return where to go after signing in: only ever a path of ours."""
    target = request.values.get("next", "/")
    ours = target.startswith("/") and not target.startswith(("//", "/\\")) and target.isprintable()
    return target if ours else "/"
