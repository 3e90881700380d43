"""Puts the web process together."""

from __future__ import annotations

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import BaseConverter

from vabhub.accounts import ensure_admin
from vabhub.errors import Unavailable
from vabhub.log import get_logger
from vabhub.settings import Settings, get_settings, use_settings
from web import (
    alert_pages,
    api,
    cache_page,
    dashboard_data,
    errors,
    extensions,
    guard,
    live,
    ops,
    pages,
    request_edge,
    services_pages,
    settings_pages,
    template_pages,
)
from web.envelope import JsonProvider
from web.login_limits import LoginLimits

log = get_logger(__name__)


class IdConverter(BaseConverter):
    """A row's number in a path; what no row has by its very form is not found."""

    # Nine digits fit into every column. Werkzeug's own `int(max=…)` answers 405 for a number out of range.
    regex = "[1-9][0-9]{0,8}"

    def to_python(self, value: str) -> int:
        """Return the number."""
        return int(value)


def create_app(settings: Settings | None = None) -> Flask:
    """Return the application; `settings` replace this process's own."""
    if settings is not None:
        use_settings(settings)
    settings = get_settings()
    app = Flask(__name__, static_folder=None)
    app.json = JsonProvider(app)
    _set_up_routing(app)
    app.extensions["vabhub_login_limits"] = LoginLimits()
    for part in (
        extensions,
        errors,
        request_edge,
        guard,
        dashboard_data,
        api,
        pages,
        settings_pages,
        services_pages,
        template_pages,
        cache_page,
        alert_pages,
        live,
    ):
        part.init_app(app)
    app.register_blueprint(ops.bp)
    if settings.trusted_proxies:
        count = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count, x_host=count)  # type: ignore[method-assign]
    _ensure_admin(settings)
    return app


def _set_up_routing(app: Flask) -> None:
    # `/api/dashboard` and `/api/dashboard/` are one address, without a redirect that would lose a body.
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    app.url_map.converters["id"] = IdConverter


def _ensure_admin(settings: Settings) -> None:
    try:
        ensure_admin(settings)
    except Unavailable:
        # The process comes up all the same: /readyz says what is missing, and `vabhub migrate` does it too.
        log.warning("web.first_admin_postponed")
