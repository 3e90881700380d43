"""Which of several schedulers publishes: a lease in Redis with a fencing token that only grows."""

from __future__ import annotations

import math
import os
import secrets
import socket
import threading
import time

import redis

from vabhub.events.bus import FENCE_KEY
from vabhub.log import get_logger
from vabhub.redis_client import PREFIX, get_redis

log = get_logger(__name__)

LEASE_KEY = f"{PREFIX}leader:lease"
LEASE_S = 6.0
# How often a follower asks. The leader renews with each publish, so that its lease ends one lease after its
# last word, and here only when no publish did for so long.
ASK_EVERY_S = 1.0
RENEW_LATEST_S = 3.0

# KEYS: lease, token. ARGV: owner, lease in ms. Returns the token, or 0 while somebody else leads.
# A token that is gone (Redis was wiped) goes on from the clock, so an old leader's can never come again.
_TAKE = """
local owner = redis.call('GET', KEYS[1])
if owner and owner ~= ARGV[1] then return 0 end
if owner and redis.call('EXISTS', KEYS[2]) == 1 then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  return redis.call('GET', KEYS[2])
end
local token = redis.call('INCR', KEYS[2])
if token == 1 then
  token = redis.call('TIME')[1]
  redis.call('SET', KEYS[2], token)
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return token
"""
_RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"


class Leader:
    """This process's part in the election. `token` is what `bus.publish(fence=…)` wants."""

    def __init__(self, *, lease_s: float = LEASE_S) -> None:
        self._owner = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self._lease_s = lease_s
        self._lock = threading.Lock()
        self._token: int | None = None
        self._until = 0.0
        self._asked_at = -math.inf
        self._stranded = False

    @property
    def token(self) -> int | None:
        """The fencing token while this process leads, None otherwise."""
        # By our own clock: a process that was frozen knows that its lease is over before it asks.
        return self._token if time.monotonic() < self._until else None

    @property
    def may_record(self) -> bool:
        """Whether to keep the history: the leader, and the last one while nobody can be elected."""
        return self.token is not None or self._stranded

    @property
    def is_settled(self) -> bool:
        """Whether this process leads and renewed lately."""
        return self.token is not None and time.monotonic() - self._asked_at < RENEW_LATEST_S

    def renew(self) -> bool:
        """Take or prolong the lease; return whether this process leads from now on and did not before.

        Raises redis.RedisError when Redis does not answer.
        """
        asked_at = time.monotonic()
        try:
            token = int(self._run(_TAKE, [LEASE_KEY, FENCE_KEY], str(int(self._lease_s * 1000))))
        except redis.RedisError:
            self._stranded = self._token is not None
            raise
        with self._lock:
            before, self._token = self._token, token or None
            self._asked_at = asked_at
            self._until = asked_at + self._lease_s if token else 0.0
            self._stranded = False
        if self._token != before:
            log.info("leader.elected" if token else "leader.follows", token=self._token, before=before)
        return bool(token) and token != before

    def resign(self) -> None:
        """Give the lease back, so that another scheduler need not wait for its end."""
        self._until = 0.0
        self._run(_RELEASE, [LEASE_KEY])

    def _run(self, script: str, keys: list[str], *arguments: str) -> int:
        return get_redis().register_script(script)(keys=keys, args=[self._owner, *arguments])  # type: ignore[no-any-return]
