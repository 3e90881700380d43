"""REST under /api: one module a topic, each with a blueprint called `bp`."""

from __future__ import annotations

from importlib import import_module

from flask import Flask

TOPICS = ("auth", "channels", "dashboard", "deliveries", "docs", "library", "notifications", "tokens")


def init_app(app: Flask) -> None:
    """Register every topic."""
    for topic in TOPICS:
        try:
            module = import_module(f"web.api.{topic}")
        except ImportError as e:  # TEMPORARY
            print("TEMPORARY: missing", e)
            continue
        app.register_blueprint(module.bp, url_prefix="/api")
