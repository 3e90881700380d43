"""REST under /api: one module a topic, each with a blueprint called `bp`."""

from __future__ import annotations

from flask import Flask

from web.api import (
    alerts,
    auth,
    cache,
    channels,
    dashboard,
    deliveries,
    docs,
    downloads,
    library,
    notifications,
    portable,
    push,
    services,
    templates,
    tokens,
)


def init_app(app: Flask) -> None:
    """Register every topic."""
    for topic in (
        alerts,
        auth,
        cache,
        channels,
        dashboard,
        deliveries,
        docs,
        downloads,
        library,
        notifications,
        portable,
        push,
        services,
        templates,
        tokens,
    ):
        app.register_blueprint(topic.bp, url_prefix="/api")
