"""People, their sign-ins, and tokens for programs. A secret is shown once; only its hash is stored."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import exists, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from vabhub import clock
from vabhub.cache import store
from vabhub.db import after_commit, transaction
from vabhub.errors import Conflict, FieldError, NotFound, Unauthorized, ValidationFailed
from vabhub.log import get_logger
from vabhub.models.account import ApiToken, LoginSession, User
from vabhub.settings import Settings

log = get_logger(__name__)

TOKEN_PREFIX = "vabhub_"  # noqa: S105 (a mark that secret scanners can look for)
PASSWORD_LENGTH = (8, 1024)
# Under it the web process keeps for a second who a credential is; never in Redis, never on disk.
MEMORY_PREFIX = "auth:"
SEEN_EVERY = timedelta(minutes=1)

# 19 MiB and two passes: enough against guessing, and a small NAS can bear a few sign-ins at once.
# Source: OWASP Password Storage Cheat Sheet, Argon2id.
_hasher = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)


class Scope(StrEnum):
    """What a credential may do; `admin` implies the others."""

    READ = "read"
    NOTIFY = "notify"
    CONTROL = "control"
    ADMIN = "admin"


def has_account(session: Session) -> bool:
    """Return whether anybody can sign in yet."""
    return bool(session.scalar(select(exists(select(User.id)))))


def create_first_admin(session: Session, username: str, password: str) -> User:
    """Create the administrator; raises Conflict once an account exists, also for the later of two at once."""
    checked = _check_username(username), _check_password(password, "password")
    if session.get_bind().dialect.name == "postgresql":
        # Two transactions would both see an empty table. SQLite's BEGIN IMMEDIATE lets only one in.
        session.execute(text("LOCK TABLE user_account IN SHARE ROW EXCLUSIVE MODE"))
    if has_account(session):
        raise Conflict("An account exists already: sign in instead.")
    user = User(
        username=checked[0],
        password_hash=_hasher.hash(checked[1]),
        is_admin=True,
        created_at=clock.utcnow(),
    )
    session.add(user)
    session.flush()
    return user


def ensure_admin(settings: Settings) -> bool:
    """Create the account that the settings name when there is none yet; return whether it did."""
    if not settings.admin_user or not settings.admin_password:
        return False
    try:
        with transaction() as session:
            if has_account(session):
                return False
            create_first_admin(session, settings.admin_user, settings.admin_password)
    except Conflict:
        return False
    log.info("account.first_admin_created")
    return True


def check_password(session: Session, username: str, password: str) -> User:
    """Return the account; raises Unauthorized, as late for an unknown name as for a wrong password."""
    user = session.scalar(select(User).where(User.username == username.strip()))
    matches = _matches(user.password_hash if user else _nobody(), password)
    if user is None or not matches:
        raise Unauthorized("The user name or the password is wrong.")
    return user


def change_password(session: Session, user_id: int, current: str, new: str, *, keep_session: int) -> None:
    """Set a new password and sign out every other browser; raises Unauthorized when `current` is wrong."""
    _check_password(new, "new_password")
    user = session.get_one(User, user_id)
    if not _matches(user.password_hash, current):
        raise Unauthorized("The current password is wrong.")
    _set_password(session, user, new, keep_session=keep_session)


def reset_password(session: Session, username: str, new: str) -> User:
    """Set a new password without the old one, and sign out every browser; raises NotFound.

    For whoever sits at the machine itself: no route leads here.
    """
    _check_password(new, "password")
    user = session.scalar(select(User).where(User.username == username.strip()))
    if user is None:
        raise NotFound(f"There is no account {username.strip()!r}.")
    _set_password(session, user, new)
    return user


def list_accounts(session: Session) -> list[User]:
    """Return all accounts, the oldest first."""
    return list(session.scalars(select(User).order_by(User.id)))


def open_session(
    session: Session, user: User, *, days: int, user_agent: str | None
) -> tuple[LoginSession, str]:
    """Return a new sign-in and the secret for its cookie."""
    secret, now = secrets.token_urlsafe(32), clock.utcnow()
    row = LoginSession(
        token_hash=digest(secret),
        user_id=user.id,
        csrf_token=secrets.token_urlsafe(32),
        user_agent=(user_agent or "")[:255] or None,
        created_at=now,
        last_seen_at=now,
        expires_at=now + timedelta(days=days),
    )
    session.add(row)
    session.flush()
    return row, secret


def find_session(session: Session, secret: str) -> tuple[LoginSession, User] | None:
    """Return the sign-in that a cookie belongs to, None when it is unknown, revoked or expired."""
    found = session.execute(
        select(LoginSession, User)
        .join(User, User.id == LoginSession.user_id)
        .where(LoginSession.token_hash == digest(secret))
    ).one_or_none()
    return (found[0], found[1]) if found and _is_live(found[0].revoked_at, found[0].expires_at) else None


def session_is_live(session: Session, session_id: int) -> bool:
    """Return whether that sign-in still holds."""
    row = session.get(LoginSession, session_id)
    return row is not None and _is_live(row.revoked_at, row.expires_at)


def close_session(session: Session, session_id: int) -> None:
    """Sign one browser out."""
    session.execute(
        update(LoginSession).where(LoginSession.id == session_id).values(revoked_at=clock.utcnow())
    )
    _forget_credentials(session)


def touch_session(session: Session, session_id: int) -> None:
    """Note that a sign-in was used just now."""
    session.execute(
        update(LoginSession).where(LoginSession.id == session_id).values(last_seen_at=clock.utcnow())
    )


def create_token(
    session: Session, name: str, scopes: Iterable[Scope | str], expires_at: datetime | None = None
) -> tuple[ApiToken, str]:
    """Return a new token's row and its secret, which nobody can read again.

    Raises Conflict when the name is in use and ValidationFailed for what cannot be. A revoked token's name
    is free again.
    """
    row = ApiToken(
        name=_check_token_name(name),
        token_hash="",
        scopes=_check_scopes(scopes),
        created_at=clock.utcnow(),
        expires_at=_check_expiry(expires_at),
    )
    secret = TOKEN_PREFIX + secrets.token_urlsafe(32)
    row.token_hash = digest(secret)
    former = session.scalar(select(ApiToken).where(ApiToken.name == row.name))
    if former is not None and former.revoked_at is not None:
        session.delete(former)
        session.flush()
    session.add(row)
    try:
        session.flush()
    except IntegrityError as error:
        raise Conflict(f"There is a token called {row.name!r} already.") from error
    return row, secret


def list_tokens(session: Session) -> list[ApiToken]:
    """Return the tokens that were not revoked, oldest first; expired ones are among them."""
    return list(session.scalars(select(ApiToken).where(ApiToken.revoked_at.is_(None)).order_by(ApiToken.id)))


def revoke_token(session: Session, which: int | str) -> ApiToken:
    """Revoke a token by id or by name; raises NotFound."""
    key = ApiToken.id == which if isinstance(which, int) else ApiToken.name == which
    row = session.scalar(select(ApiToken).where(key, ApiToken.revoked_at.is_(None)))
    if row is None:
        raise NotFound("There is no such token.")
    row.revoked_at = clock.utcnow()
    _forget_credentials(session)
    return row


def find_token(session: Session, secret: str) -> ApiToken | None:
    """Return the token with this secret, None when it is unknown, revoked or expired."""
    row = session.scalar(select(ApiToken).where(ApiToken.token_hash == digest(secret)))
    return row if row and _is_live(row.revoked_at, row.expires_at) else None


def token_is_live(session: Session, token_id: int) -> bool:
    """Return whether that token still holds."""
    row = session.get(ApiToken, token_id)
    return row is not None and _is_live(row.revoked_at, row.expires_at)


def touch_token(session: Session, token_id: int) -> None:
    """Note that a token was used just now."""
    session.execute(update(ApiToken).where(ApiToken.id == token_id).values(last_used_at=clock.utcnow()))


def digest(secret: str) -> str:
    """Return what is stored of a secret.

    A plain hash does for 256 random bits, and looking it up by index tells no one how much of a guess
    was right.
    """
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


@cache
def _nobody() -> str:
    return _hasher.hash(secrets.token_urlsafe(16))


def _set_password(session: Session, user: User, new: str, *, keep_session: int | None = None) -> None:
    user.password_hash = _hasher.hash(new)
    others = update(LoginSession).where(LoginSession.user_id == user.id, LoginSession.revoked_at.is_(None))
    if keep_session is not None:
        others = others.where(LoginSession.id != keep_session)
    session.execute(others.values(revoked_at=clock.utcnow()))
    _forget_credentials(session)


def _forget_credentials(session: Session) -> None:
    after_commit(session, lambda: store().forget(MEMORY_PREFIX))


def _matches(password_hash: str, password: str) -> bool:
    try:
        return _hasher.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False


def _is_live(revoked_at: datetime | None, expires_at: datetime | None) -> bool:
    return revoked_at is None and (expires_at is None or expires_at > clock.utcnow())


def _check_username(username: str) -> str:
    name = username.strip()
    if not 1 <= len(name) <= 64 or not name.isprintable():
        raise ValidationFailed([FieldError("username", "1 to 64 printable characters.", "invalid_username")])
    return name


def _check_password(password: str, field: str) -> str:
    shortest, longest = PASSWORD_LENGTH
    if not shortest <= len(password) <= longest:
        raise ValidationFailed([FieldError(field, f"{shortest} characters or more.", "password_length")])
    return password


def _check_token_name(name: str) -> str:
    name = name.strip()
    if not 1 <= len(name) <= 100 or not name.isprintable():
        raise ValidationFailed([FieldError("name", "1 to 100 printable characters.", "invalid_name")])
    return name


def _check_scopes(scopes: Iterable[Scope | str]) -> list[str]:
    known = {scope.value for scope in Scope}
    given = list(dict.fromkeys(str(scope) for scope in scopes))
    if not given or not known.issuperset(given):
        raise ValidationFailed([FieldError("scopes", f"One or more of {', '.join(Scope)}.", "invalid_scope")])
    return given


def _check_expiry(expires_at: datetime | None) -> datetime | None:
    if expires_at is not None and expires_at.tzinfo is None:
        raise ValidationFailed([FieldError("expires_at", "The time needs a zone.", "timezone_aware")])
    if expires_at is not None and expires_at <= clock.utcnow():
        raise ValidationFailed([FieldError("expires_at", "The time is past.", "in_the_past")])
    return expires_at
