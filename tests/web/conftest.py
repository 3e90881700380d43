"""The application over a real database and a real Redis, and clients that are signed in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.support.tiers import patient_database, patient_redis
from vabhub import accounts
from vabhub.cache import Tiers, use_store
from vabhub.cache.memory import Memory
from vabhub.db import transaction
from vabhub.settings import Settings
from web import auth, create_app, dashboard_data

ADMIN = ("admin", "correct horse battery")


class CookieClient(FlaskClient):
    """A browser: keeps its cookie, and sends the CSRF header once it knows it."""

    csrf_token: str | None = None

    def open(self, *args: Any, **kwargs: Any) -> Any:
        """Send a request."""
        if self.csrf_token:
            headers = dict(kwargs.pop("headers", None) or {})
            headers.setdefault("X-CSRF-Token", self.csrf_token)
            kwargs["headers"] = headers
        return super().open(*args, **kwargs)


@pytest.fixture
def app(sqlite: Settings, redis: None) -> Iterator[Flask]:
    """The application on an empty database."""
    use_store(Tiers(Memory(), patient_redis(), patient_database(), listens=True))
    made = create_app(sqlite)
    made.test_client_class = CookieClient
    yield made
    dashboard_data.forget()
    auth.forget_touches()


@pytest.fixture
def client(app: Flask) -> CookieClient:
    """Somebody without a credential."""
    return app.test_client()  # type: ignore[return-value]


@pytest.fixture
def admin(app: Flask) -> tuple[str, str]:
    """The name and password of the account that exists."""
    with transaction() as session:
        accounts.create_first_admin(session, *ADMIN)
    return ADMIN


@pytest.fixture
def admin_client(app: Flask, admin: tuple[str, str]) -> CookieClient:
    """The administrator's browser, signed in."""
    return sign_in(app, admin)


@pytest.fixture
def token(app: Flask) -> Callable[..., dict[str, str]]:
    """Makes a token with these scopes and returns the header that carries it."""
    made = 0

    def make(*scopes: str) -> dict[str, str]:
        nonlocal made
        made += 1
        with transaction() as session:
            _, secret = accounts.create_token(session, f"token {made}", scopes)
        return {"Authorization": f"Bearer {secret}"}

    return make


def sign_in(app: Flask, account: tuple[str, str]) -> CookieClient:
    """Return a browser that is signed in."""
    client: CookieClient = app.test_client()  # type: ignore[assignment]
    answer = client.post("/api/auth/login", json={"username": account[0], "password": account[1]})
    assert answer.status_code == 200, answer.text
    client.csrf_token = answer.get_json()["data"]["csrf_token"]
    return client
