"""Signing in and out, and the first account."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response
from pydantic import BaseModel, ConfigDict, Field

from web import auth
from web.auth import Principal
from web.endpoint import Access, endpoint
from web.envelope import Answer, success
from web.schemas import Me

bp = Blueprint("auth", __name__)


class Credentials(BaseModel):
    """A person's name and password."""

    model_config = ConfigDict(extra="forbid")
    username: str = Field(min_length=1, max_length=64)
    password: str = Field(min_length=1, max_length=1024)


class FirstAccount(BaseModel):
    """The administrator to create."""

    model_config = ConfigDict(extra="forbid")
    username: str = Field(min_length=1, max_length=64)
    password: str = Field(min_length=8, max_length=1024)


class PasswordChange(BaseModel):
    """The password as it is and as it shall be."""

    model_config = ConfigDict(extra="forbid")
    current_password: str = Field(min_length=1, max_length=1024)
    new_password: str = Field(min_length=8, max_length=1024)


@endpoint(
    bp,
    "POST",
    "/auth/login",
    scope=Access.OPEN,
    summary="Sign in; the answer sets the session cookie",
    body=Credentials,
    answer=Me,
    errors=(401, 429),
)
def login(body: Credentials) -> Response:
    """Check the password and set the session cookie."""
    response = Response()
    principal = auth.sign_in(body.username, body.password, response)
    return _with_cookie(response, Answer(_me(principal), "Signed in."))


@endpoint(
    bp,
    "POST",
    "/auth/setup",
    scope=Access.SETUP,
    summary="Create the administrator and sign in; only while there is no account",
    body=FirstAccount,
    answer=Me,
    status=201,
    errors=(409, 429),
)
def setup(body: FirstAccount) -> Response:
    """Create the first account; of two at once one wins and the other gets 409."""
    response = Response()
    principal = auth.set_up(body.username, body.password, response)
    return _with_cookie(response, Answer(_me(principal), "The administrator was created.", status=201))


@endpoint(bp, "POST", "/auth/logout", scope=Access.ANY, summary="Sign out")
def logout() -> Response:
    """End the session and take the cookie away."""
    response = Response()
    auth.sign_out(response)
    return _with_cookie(response, Answer(None, "Signed out."))


@endpoint(bp, "GET", "/auth/me", scope=Access.ANY, summary="Who am I, and what may I do", answer=Me)
def me() -> dict[str, Any]:
    """Return the caller."""
    return _me(auth.current())


@endpoint(
    bp,
    "POST",
    "/auth/password",
    scope=Access.ANY,
    summary="Change the own password; every other session ends",
    body=PasswordChange,
    errors=(403, 429),
)
def password(body: PasswordChange) -> Answer:
    """Change the caller's password."""
    auth.change_password(body.current_password, body.new_password)
    return Answer(None, "The password was changed; other sessions were signed out.")


def _me(principal: Principal) -> dict[str, Any]:
    return {
        "kind": principal.kind,
        "username": principal.name,
        "scopes": sorted(principal.scopes),
        "csrf_token": principal.csrf_token,
    }


def _with_cookie(carrier: Response, answer: Answer) -> Response:
    response = success(answer, status=answer.status or 200)
    for cookie in carrier.headers.getlist("Set-Cookie"):
        response.headers.add("Set-Cookie", cookie)
    return response
