"""Tiers that wait for a busy machine: a test must not depend on speed."""

from __future__ import annotations

from functools import cache
from typing import Any

import redis

from vabhub.cache.database import DatabaseTier
from vabhub.cache.redis_tier import RedisTier
from vabhub.settings import get_settings

PATIENCE_S = 20.0


def patient_redis(**more: Any) -> RedisTier:
    """Return the second tier with a long time-out."""
    url = get_settings().redis_url
    return RedisTier(client=lambda: _client(url), **more)


def patient_database(**more: Any) -> DatabaseTier:
    """Return the third tier with a long time-out."""
    return DatabaseTier(answer_within_s=PATIENCE_S, **more)


@cache
def _client(url: str) -> redis.Redis:
    return redis.Redis.from_url(url, socket_timeout=PATIENCE_S)
