"""The page /settings/alerts: what is firing, what was, and the rules behind it."""

from __future__ import annotations

from typing import Any

from flask import Flask
from flask.typing import ResponseReturnValue

from vabhub.accounts import Scope
from vabhub.alerts.listing import AlertQuery, list_alerts
from vabhub.alerts.metrics import METRICS
from vabhub.alerts.rules import list_rules
from vabhub.db import reading
from vabhub.settings import get_settings
from web import first_paint
from web.endpoint import page
from web.page_kit import blueprint, draw, translator

# As many as static/js/alerts.js asks for.
_SHOWN = AlertQuery(page_size=20)
FIELDS = ("threshold", "clear_at", "for_minutes", "clear_minutes")


def init_app(app: Flask) -> None:
    """Give the page's template what it may call."""
    app.jinja_env.globals.update(alert_number=number, alert_fields=FIELDS)


@page(blueprint, "/settings/alerts", access=Scope.ADMIN)
def alert_list() -> ResponseReturnValue:
    """Draw the alerts and the rules."""
    with reading() as session:
        rules, alerts = list_rules(session), list_alerts(session, _SHOWN)["items"]
    below = sorted(name.value for name, metric in METRICS.items() if metric.below)
    texts, entry = translator(), "js/alerts.js"
    boot: dict[str, Any] = {"rules": rules, "alerts": alerts, "below": below}
    shell = first_paint.shell(texts, get_settings(), entry=entry, page=boot)
    content = {"rules": rules, "alerts": alerts, "below": below, "metrics": [name.value for name in METRICS]}
    return draw("settings/alerts.html", "settings", content | shell)


def number(value: float, unit: str) -> str:
    """Return a value as static/js/alerts.js writes it."""
    return f"{round(value, 1):g} {unit}".strip()
