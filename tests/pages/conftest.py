"""The application of the web tests, for the pages' own tests."""

from __future__ import annotations

from tests.web.conftest import admin, admin_client, app, client

__all__ = ["admin", "admin_client", "app", "client"]
