"""The web process: pages, REST and the live socket. `create_app` is loaded on first use."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from vabhub.settings import Settings


def create_app(settings: Settings | None = None) -> Flask:
    """Return the WSGI application; the environment's settings when none are given."""
    # Imported late: gunicorn must patch for gevent before Flask, Redis and SQLAlchemy are loaded.
    from web.app import create_app as create

    return create(settings)
