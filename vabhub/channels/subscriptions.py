"""The browsers that subscribed to pushes, and this installation's key pair, both sealed in the database."""

from __future__ import annotations

import hashlib
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from vabhub import clock
from vabhub.db import db_now, reading, transaction
from vabhub.models import PushKey, PushSubscription
from vabhub.secret_box import seal, unseal

MOST = 100
AUTH_BYTES = 16


@dataclass(frozen=True, slots=True)
class Subscription:
    """One browser: where its push service takes messages, and the keys to write them with."""

    id: int
    endpoint: str
    public_key: bytes  # an uncompressed point of P-256
    auth: bytes


def key_bytes(text: str) -> bytes:
    """Return what base64url without padding stands for; raises ValueError."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def checked_public_key(text: str) -> str:
    """Return a browser's `p256dh` as it is; raises ValueError when it is no point of P-256."""
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), key_bytes(text))
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ValueError("is no key of a browser") from error
    return text


def checked_auth(text: str) -> str:
    """Return a browser's `auth` as it is; raises ValueError when it is not 16 bytes."""
    if len(key_bytes(text)) != AUTH_BYTES:
        raise ValueError(f"must be {AUTH_BYTES} bytes in base64url")
    return text


def public_key() -> str:
    """Return this installation's public key in base64url, as a browser asks for it."""
    point = private_key().public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return urlsafe_b64encode(point).decode().rstrip("=")


def private_key() -> ec.EllipticCurvePrivateKey:
    """Return this installation's key, which is made when it is first asked for."""
    sealed = _stored_key() or _new_key()
    key = load_pem_private_key(unseal(sealed).encode(), password=None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key


def subscribe(
    session: Session, *, endpoint: str, p256dh: str, auth: str, owner: str, browser: str | None
) -> int:
    """Store a browser, or its new keys, and return its id. The oldest makes room beyond 100."""
    digest = _digest(endpoint)
    sealed = seal(json.dumps({"endpoint": endpoint, "p256dh": p256dh, "auth": auth}))
    values = {"sealed": sealed, "owner": owner, "browser": browser}
    changed: int | None = session.scalar(
        update(PushSubscription)
        .where(PushSubscription.endpoint_hash == digest)
        .values(**values)
        .returning(PushSubscription.id)
    )
    if changed is not None:
        return changed
    _make_room(session)
    row = PushSubscription(endpoint_hash=digest, created_at=db_now(session), **values)
    session.add(row)
    session.flush()
    return row.id


def unsubscribe(session: Session, endpoint: str) -> bool:
    """Forget a browser; False when it was not known."""
    found = delete(PushSubscription).where(PushSubscription.endpoint_hash == _digest(endpoint))
    return session.execute(found.returning(PushSubscription.id)).first() is not None


def listed(session: Session) -> list[dict[str, Any]]:
    """Return the browsers as JSON, without where and how they are reached."""
    return [
        {
            "id": row.id,
            "owner": row.owner,
            "browser": row.browser,
            "created_at": clock.isoformat(row.created_at),
            "last_sent_at": clock.isoformat(row.last_sent_at) if row.last_sent_at else None,
        }
        for row in session.scalars(select(PushSubscription).order_by(PushSubscription.id))
    ]


def every() -> list[Subscription]:
    """Return all browsers; opens a session of its own and closes it."""
    with reading() as session:
        rows = session.execute(
            select(PushSubscription.id, PushSubscription.sealed).order_by(PushSubscription.id)
        ).all()
    return [_opened(row.id, row.sealed) for row in rows]


def note(*, sent: Iterable[int], gone: Iterable[int]) -> None:
    """Write down which browsers were reached, and forget those that are gone; has its own transaction."""
    sent, gone = list(sent), list(gone)
    if not sent and not gone:
        return
    with transaction() as session:
        session.execute(delete(PushSubscription).where(PushSubscription.id.in_(gone)))
        reached = update(PushSubscription).where(PushSubscription.id.in_(sent))
        session.execute(reached.values(last_sent_at=db_now(session)))


def _opened(number: int, sealed: str) -> Subscription:
    found = json.loads(unseal(sealed))
    return Subscription(number, found["endpoint"], key_bytes(found["p256dh"]), key_bytes(found["auth"]))


def _stored_key() -> str | None:
    with reading() as session:
        return session.scalar(select(PushKey.sealed_private_key).where(PushKey.id == 1))


def _new_key() -> str:
    made = ec.generate_private_key(ec.SECP256R1())
    pem = made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    try:
        with transaction() as session:
            values = {"id": 1, "sealed_private_key": seal(pem), "created_at": db_now(session)}
            session.execute(insert(PushKey).values(**values))
    except IntegrityError:
        pass  # another process was first: its key is the one
    stored = _stored_key()
    assert stored is not None
    return stored


def _make_room(session: Session) -> None:
    if (session.scalar(select(func.count()).select_from(PushSubscription)) or 0) >= MOST:
        oldest = session.scalar(select(func.min(PushSubscription.id)))
        session.execute(delete(PushSubscription).where(PushSubscription.id == oldest))


def _digest(endpoint: str) -> str:
    return hashlib.sha256(endpoint.encode()).hexdigest()
