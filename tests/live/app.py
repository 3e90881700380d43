"""The socket alone, with credentials that a test can make and revoke through Redis."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs

from flask import Flask, Response, jsonify, request

from vabhub.accounts import Scope
from vabhub.errors import VabHubError
from vabhub.redis_client import get_redis
from web import live
from web.hub_metrics import SOCKETS

REVOKED = "test:revoked"


@dataclass(frozen=True)
class Caller:
    """A principal whose credential is its name: `read-…` may read, anything else may only notify."""

    name: str

    def has(self, scope: Scope) -> bool:
        return scope is not Scope.READ or self.name.startswith("read")


def create_app() -> Flask:
    app = Flask(__name__)
    app.config["VABHUB_LIVE_AUTH"] = SimpleNamespace(
        authenticate_environ=_authenticate, principal_for_token=_principal, is_current=_is_current
    )
    live.init_app(app)
    app.register_error_handler(VabHubError, _failure)
    app.add_url_rule("/healthz", "healthz", lambda: {"ok": True})
    app.add_url_rule("/sockets", "sockets", lambda: {"open": int(SOCKETS._value.get())})
    return app


def _failure(error: VabHubError) -> tuple[Response, int]:
    return jsonify(success=False, error_code=error.error_code, error_message=error.message), error.http_status


def _authenticate(environ: dict[str, Any]) -> Caller | None:
    kind, _, token = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    query = parse_qs(environ.get("QUERY_STRING", "")).get("token", [""])[0]
    return _principal(
        (token if kind == "Bearer" else "") or query or request.cookies.get("vabhub_session", "")
    )


def _principal(token: str) -> Caller | None:
    return Caller(token) if token.startswith(("read", "notify")) else None


def _is_current(principal: Caller) -> bool:
    return not get_redis().sismember(REVOKED, principal.name)
