"""Who listens to what: each web process says how many follow each topic, and sources ask for the sum.

Counted in Redis, by its clock. A process that falls silent is forgotten after 15 s.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping

from vabhub.events.topics import Topic
from vabhub.redis_client import PREFIX, get_redis

SAY_AGAIN_S = 5.0
_FORGET_AFTER_S = 15

_COUNTS_KEY = f"{PREFIX}live:followers"
_HEARD_KEY = f"{PREFIX}live:heard"

# KEYS: counts (hash by process), when each was heard (sorted set). ARGV: seconds to keep, process, counts.
_SAY = """
local now = tonumber(redis.call('TIME')[1])
redis.call('HSET', KEYS[1], ARGV[2], ARGV[3])
redis.call('ZADD', KEYS[2], now, ARGV[2])
return redis.status_reply('OK')
"""
_ASK = """
local now = tonumber(redis.call('TIME')[1])
local silent = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now - tonumber(ARGV[1]))
for _, process in ipairs(silent) do
  redis.call('ZREM', KEYS[2], process)
  redis.call('HDEL', KEYS[1], process)
end
return redis.call('HVALS', KEYS[1])
"""


def say(process: str, followers: Mapping[Topic, int]) -> None:
    """Say how many sockets of this web process follow each topic.

    To be repeated every SAY_AGAIN_S. Raises redis.RedisError when Redis does not answer.
    """
    counts = json.dumps({topic.value: number for topic, number in followers.items() if number})
    get_redis().register_script(_SAY)(keys=_keys(), args=[_FORGET_AFTER_S, process, counts])


def followers() -> Counter[str]:
    """Return how many sockets of all web processes follow each topic. Raises redis.RedisError."""
    total: Counter[str] = Counter()
    for counts in get_redis().register_script(_ASK)(keys=_keys(), args=[_FORGET_AFTER_S]):
        total.update(json.loads(counts))
    return total


def leave(process: str) -> None:
    """Forget a process that ends. Raises redis.RedisError."""
    redis = get_redis()
    redis.hdel(_COUNTS_KEY, process)
    redis.zrem(_HEARD_KEY, process)


def _keys() -> list[str]:
    return [_COUNTS_KEY, _HEARD_KEY]
