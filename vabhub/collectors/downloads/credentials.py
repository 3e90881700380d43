"""Remember which password a client has refused, so that it is tried once and never again.

Clients ban an address after a few failures, and the ban hits the user's own browser too. The memory is
this process's and Redis's (no expiry), so neither a new collector nor a restart tries again; another
address, user name or password makes another fingerprint and is tried at once.
"""

from __future__ import annotations

import hashlib

from redis.exceptions import RedisError

from vabhub.collectors.downloads.faults import FaultCode, SourceFailed
from vabhub.log import get_logger
from vabhub.redis_client import get_redis

log = get_logger(__name__)

_ROUNDS = 100_000

_refused: dict[str, str] = {}


def fingerprint(url: str, username: str, password: str) -> str:
    """Return a slow hash of the three; a refused password may well be a good one somewhere else."""
    salt = f"vabhub:{url}:{username}".encode()
    return hashlib.pbkdf2_hmac("sha256", password.encode(), salt, _ROUNDS).hex()


def is_refused(instance: str, mark: str) -> bool:
    """Tell whether the client refused exactly these credentials.

    Raises SourceFailed while Redis, which remembers it, does not answer: a login would be a guess.
    """
    if _refused.get(instance) == mark:
        return True
    try:
        stored = get_redis().get(_key(instance))
    except RedisError as error:
        text = (
            "Redis does not answer, so whether this password was refused before is unknown; it is not tried."
        )
        raise SourceFailed(FaultCode.UNCHECKED, text) from error
    return isinstance(stored, bytes) and stored == mark.encode()


def remember_refused(instance: str, mark: str) -> None:
    """Never try these credentials again."""
    _refused[instance] = mark
    try:
        get_redis().set(_key(instance), mark)
    except RedisError as error:
        log.warning("downloads.refusal_unsaved", instance=instance, reason=type(error).__name__)


def forget_refused(instance: str) -> None:
    """Allow another try: the credentials were accepted, or a person asked for it."""
    _refused.pop(instance, None)
    try:
        get_redis().delete(_key(instance))
    except RedisError as error:
        log.warning("downloads.refusal_unsaved", instance=instance, reason=type(error).__name__)


def _key(instance: str) -> str:
    return f"vabhub:downloads:refused:{instance}"
