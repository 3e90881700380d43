"""Who is calling: cookie, Bearer token or X-Api-Key, read once a request; signing in and out."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import parse_qs

from flask import Response, g, request
from werkzeug.http import parse_cookie

from vabhub import accounts
from vabhub.accounts import Scope
from vabhub.cache import store
from vabhub.cache.entry import make_entry
from vabhub.clock import utcnow
from vabhub.db import reading, transaction
from vabhub.errors import Forbidden, Unauthorized, Unavailable
from vabhub.log import get_logger
from vabhub.models.account import ApiToken, LoginSession, User
from vabhub.settings import get_settings
from web.login_limits import login_limits

log = get_logger(__name__)

COOKIE = "vabhub_session"
# A revoked credential ends at once where its process hears of it, and after this time wherever it does not.
_REMEMBERED_S = 1.0
_MOST_REMEMBERED = 10_000
_touched: dict[tuple[str, int], float] = {}
_PERSON = frozenset({Scope.READ, Scope.NOTIFY, Scope.CONTROL})


@dataclass(frozen=True, slots=True)
class Principal:
    """Who calls, and with what right. `session_id` is set for people, `token_id` for programs."""

    kind: Literal["user", "token"]
    name: str
    scopes: frozenset[Scope]
    user_id: int | None = None
    session_id: int | None = None
    token_id: int | None = None
    csrf_token: str | None = None

    def has(self, scope: Scope) -> bool:
        """Return whether this caller may do what needs `scope`; admin may do all."""
        return scope in self.scopes or Scope.ADMIN in self.scopes


def current() -> Principal:
    """Return who makes this request; raises Unauthorized for nobody."""
    principal = identify()
    if principal is None:
        raise Unauthorized("Sign in, or send a valid token.")
    return principal


def identify() -> Principal | None:
    """Return who makes this request, None for nobody; looked up once a request."""
    if "principal" not in g:
        g.principal = authenticate_environ(request.environ, query_token=False)
    principal: Principal | None = g.principal
    return principal


def authenticate_environ(environ: dict[str, Any], *, query_token: bool = True) -> Principal | None:
    """Return who opened this connection.

    A token wins over a cookie, and a wrong token is nobody even beside a good cookie. `?token=` counts only
    where a browser cannot send a header: for the socket.
    """
    token = _token_of(environ, query_token=query_token)
    if token is not None:
        return principal_for_token(token)
    secret = _cookie_of(environ)
    return principal_for_session(secret) if secret else None


def principal_for_token(token: str) -> Principal | None:
    """Return the program that holds this token, None when the token is unknown, revoked or expired."""
    return _remembered(token, _find_program)


def principal_for_session(secret: str) -> Principal | None:
    """Return the person whose cookie holds this secret, None when the sign-in is over."""
    return _remembered(secret, _find_person)


def _remembered(secret: str, find: Callable[[str], Principal | None]) -> Principal | None:
    """Look a credential up at most once a second; accounts.py makes every process forget one that ends."""
    memory, key = store().memory, accounts.MEMORY_PREFIX + accounts.digest(secret)
    known, generation = memory.get(key), memory.generation
    if known is not None:
        principal: Principal | None = known.value
        return principal
    principal = find(secret)
    if principal is not None:
        entry = make_entry(principal, _REMEMBERED_S, now=memory.now())
        memory.put(key, entry, packed=b"", shared=True, generation=generation)
    return principal


def _find_program(token: str) -> Principal | None:
    with reading() as session:
        row = accounts.find_token(session, token)
        principal = _program(row) if row else None
        due = row is not None and (row.last_used_at is None or _is_old(row.last_used_at))
    if principal is not None and due:
        _touch(principal)
    return principal


def _find_person(secret: str) -> Principal | None:
    with reading() as session:
        found = accounts.find_session(session, secret)
        principal = _person(*found) if found else None
        due = found is not None and _is_old(found[0].last_seen_at)
    if principal is not None and due:
        _touch(principal)
    return principal


def is_current(principal: Principal) -> bool:
    """Return whether the credential still holds: a socket asks again while it stays open."""
    with reading() as session:
        if principal.session_id is not None:
            return accounts.session_is_live(session, principal.session_id)
        return principal.token_id is not None and accounts.token_is_live(session, principal.token_id)


def sign_in(username: str, password: str, response: Response) -> Principal:
    """Check the password, open a session and put its cookie on the response.

    Raises RateLimited after too many tries and Unauthorized for a wrong name or password.
    """
    attempt = login_limits().begin(username, request.remote_addr or "")
    with reading() as session:
        user = accounts.check_password(session, username, password)
    attempt.succeeded()
    return start_session(user, response)


def set_up(username: str, password: str, response: Response) -> Principal:
    """Create the administrator and sign in; raises Conflict once there is an account."""
    with transaction() as session:
        user = accounts.create_first_admin(session, username, password)
    log.info("account.first_admin_created")
    return start_session(user, response)


def start_session(user: User, response: Response) -> Principal:
    """Open a session for an account that was just checked or made, and put its cookie on the response."""
    days = get_settings().session_days
    with transaction() as session:
        row, secret = accounts.open_session(
            session, user, days=days, user_agent=request.headers.get("User-Agent")
        )
        principal = _person(row, user)
    response.set_cookie(
        COOKIE,
        secret,
        max_age=days * 86400,
        httponly=True,
        samesite="Lax",
        secure=request.is_secure,
        path="/",
    )
    g.principal = principal
    return principal


def sign_out(response: Response) -> None:
    """End this browser's session and take its cookie away."""
    principal = identify()
    if principal is not None and principal.session_id is not None:
        with transaction() as session:
            accounts.close_session(session, principal.session_id)
    response.delete_cookie(COOKIE, httponly=True, samesite="Lax", secure=request.is_secure, path="/")


def change_password(current_password: str, new_password: str) -> None:
    """Change the caller's own password and end all the other sessions."""
    principal = current()
    if principal.user_id is None or principal.session_id is None:
        raise Forbidden("Only a person who is signed in has a password.")
    attempt = login_limits().begin(principal.name, request.remote_addr or "")
    with transaction() as session:
        accounts.change_password(
            session, principal.user_id, current_password, new_password, keep_session=principal.session_id
        )
    attempt.succeeded()


def forget_touches() -> None:
    """Forget when each credential was last noted as used (tests)."""
    _touched.clear()


def _person(row: LoginSession, user: User) -> Principal:
    return Principal(
        kind="user",
        name=user.username,
        scopes=frozenset(Scope) if user.is_admin else _PERSON,
        user_id=user.id,
        session_id=row.id,
        csrf_token=row.csrf_token,
    )


def _program(row: ApiToken) -> Principal:
    known = {scope.value for scope in Scope}
    return Principal(
        kind="token",
        name=row.name,
        scopes=frozenset(Scope(scope) for scope in row.scopes if scope in known),
        token_id=row.id,
    )


def _token_of(environ: dict[str, Any], *, query_token: bool) -> str | None:
    kind, _, value = environ.get("HTTP_AUTHORIZATION", "").strip().partition(" ")
    if kind.lower() == "bearer":
        return str(value).strip()
    if "HTTP_X_API_KEY" in environ:
        return str(environ["HTTP_X_API_KEY"]).strip()
    if query_token:
        given: list[str] = parse_qs(environ.get("QUERY_STRING", "")).get("token", [])
        return next(iter(given), None)
    return None


def _cookie_of(environ: dict[str, Any]) -> str | None:
    # Not the standard library's parser: it gives up at the first odd cookie, and a NAS serves many programs
    # on one host name, whose cookies all come along.
    return parse_cookie(environ.get("HTTP_COOKIE")).get(COOKIE)


def _is_old(seen_at: Any) -> bool:
    return bool(utcnow() - seen_at >= accounts.SEEN_EVERY)


def _touch(principal: Principal) -> None:
    # Tried once a minute even when it fails: a locked database must not slow every request down.
    key = (principal.kind, principal.session_id or principal.token_id or 0)
    now = time.monotonic()
    if now - _touched.get(key, -1e9) < accounts.SEEN_EVERY.total_seconds():
        return
    if len(_touched) > _MOST_REMEMBERED:
        _touched.clear()
    _touched[key] = now
    try:
        with transaction() as session:
            if principal.session_id is not None:
                accounts.touch_session(session, principal.session_id)
            elif principal.token_id is not None:
                accounts.touch_token(session, principal.token_id)
    except Unavailable:
        log.warning("auth.touch_failed", kind=principal.kind)
