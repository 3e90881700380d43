"""Limits guesses at passwords: by name and address, and by address alone."""

from __future__ import annotations

import hashlib
import math
import time
from dataclasses import dataclass

from flask import current_app
from limits import RateLimitItem, parse
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import MovingWindowRateLimiter
from redis import RedisError

from vabhub.errors import RateLimited
from vabhub.log import get_logger
from vabhub.redis_client import PREFIX, get_redis

log = get_logger(__name__)

PER_NAME = parse("10 per 5 minutes")
PER_ADDRESS = parse("60 per 5 minutes")


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try that was let through. Every try counts until it is known to have been right."""

    limits: LoginLimits
    name_key: str
    address_key: str

    def succeeded(self) -> None:
        """Forget the wrong tries for this name from this address."""
        self.limits.forget(self.name_key)


class LoginLimits:
    """Counts in Redis, so that all web processes count together; in memory while Redis is away."""

    def __init__(self) -> None:
        # The address is only parsed for its scheme; the connections are our own pool, with its time-outs.
        pool = get_redis().connection_pool
        storage = RedisStorage("redis://", connection_pool=pool, key_prefix=f"{PREFIX}login")
        self._shared = MovingWindowRateLimiter(storage)
        self._local = MovingWindowRateLimiter(MemoryStorage())

    def begin(self, username: str, address: str) -> Attempt:
        """Count a try; raises RateLimited with the time to wait when there were too many."""
        name_key = _key(username.strip(), address)
        for item, key in ((PER_ADDRESS, _key(address)), (PER_NAME, name_key)):
            wait_s = self._hit(item, key)
            if wait_s:
                log.warning("auth.login_limited", wait_s=wait_s)
                raise RateLimited("Too many attempts to sign in.", retry_after_s=wait_s)
        return Attempt(self, name_key, _key(address))

    def forget(self, name_key: str) -> None:
        """Start counting anew for this name and address."""
        try:
            self._shared.clear(PER_NAME, name_key)
        except RedisError:
            log.warning("auth.limits_local")
        self._local.clear(PER_NAME, name_key)

    def _hit(self, item: RateLimitItem, key: str) -> int:
        try:
            return _hit(self._shared, item, key)
        except RedisError:
            log.warning("auth.limits_local")
            return _hit(self._local, item, key)


def login_limits() -> LoginLimits:
    """Return this application's counters."""
    limits: LoginLimits = current_app.extensions["vabhub_login_limits"]
    return limits


def _hit(limiter: MovingWindowRateLimiter, item: RateLimitItem, key: str) -> int:
    """Count one try; return 0 when it may go on, else the seconds to wait."""
    if limiter.hit(item, key):
        return 0
    reset_at = limiter.get_window_stats(item, key).reset_time
    return max(1, math.ceil(reset_at - time.time()))


def _key(*parts: str) -> str:
    # A digest: names are of any length, and no address ends up readable in Redis.
    return hashlib.sha256("\x00".join(parts).encode("utf-8", "replace")).hexdigest()[:32]
