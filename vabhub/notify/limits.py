"""How many messages a minute a channel may carry: GCRA in Redis, without holding a thread."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

import redis

from vabhub.log import get_logger
from vabhub.redis_client import PREFIX, get_redis

log = get_logger(__name__)

# KEYS: when the next is due in theory, the last slot that was allotted, slots by delivery.
# ARGV: delivery, µs between two messages, µs of tolerance (burst), µs in place of Redis' own clock or ''.
# Who has to wait gets a slot of its own, so that a burst is spread and nobody overtakes. Slots only say when
# to ask again: what may go is decided by what went, so late arrivals never add up to more than the rate.
_ASK = """
local time = redis.call('TIME')
local now = tonumber(ARGV[4]) or time[1] * 1000000 + time[2]
local step, tolerance = tonumber(ARGV[2]), tonumber(ARGV[3])
local due = tonumber(redis.call('GET', KEYS[1]) or '0')
local last = tonumber(redis.call('GET', KEYS[2]) or '0')
local slot = tonumber(redis.call('HGET', KEYS[3], ARGV[1]) or '0')
local free_at = due - tolerance
local function keep(key, value, until_at)
  redis.call('SET', key, string.format('%.0f', value), 'PX', math.ceil((until_at - now) / 1000) + 60000)
end
if slot > now then return string.format('%.0f', slot - now) end
if free_at <= now and (slot > 0 or last <= now) then
  due = math.max(due, now) + step
  keep(KEYS[1], due, due)
  redis.call('HDEL', KEYS[3], ARGV[1])
  return '0'
end
local at = free_at
if slot == 0 or now - slot > 2 * step then
  at = math.max(last + step, free_at, now)
  keep(KEYS[2], at, at)
end
redis.call('HSET', KEYS[3], ARGV[1], string.format('%.0f', at))
redis.call('PEXPIRE', KEYS[3], math.ceil((math.max(at, last) - now) / 1000) + 60000)
return string.format('%.0f', math.max(at - now, 1))
"""


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `per_minute` as a rule, and `burst` of them at once."""

    per_minute: float
    burst: int = 1

    @property
    def step_s(self) -> float:
        """Return the seconds between two messages."""
        return 60.0 / self.per_minute


@dataclass(slots=True)
class _Bucket:
    due: float = 0.0
    slots: dict[int, float] = field(default_factory=dict)


_local: dict[str, _Bucket] = {}
_lock = threading.Lock()


def wait_s(channel: str, delivery_id: int, rate: Rate, *, now_s: float | None = None) -> float:
    """Return 0 if the delivery may go now (which uses its turn up), or the seconds until it is its turn.

    All workers go by Redis' clock, for which `now_s` stands in. While Redis is away each process counts
    for itself.
    """
    step, tolerance = rate.step_s * 1e6, (rate.burst - 1) * rate.step_s * 1e6
    keys = [f"{PREFIX}rate:{{{channel}}}:{part}" for part in ("due", "last", "slots")]
    now = "" if now_s is None else f"{now_s * 1e6:.0f}"
    try:
        answer = get_redis().register_script(_ASK)(keys=keys, args=[delivery_id, step, tolerance, now])
        return int(answer) / 1e6
    except redis.RedisError as error:
        log.warning("limits.local", reason=str(error)[:200])
        return _local_wait_s(channel, delivery_id, rate, time.monotonic())


def _local_wait_s(channel: str, delivery_id: int, rate: Rate, now: float) -> float:
    with _lock:
        bucket = _local.setdefault(channel, _Bucket())
        at = bucket.slots.get(delivery_id)
        if at is None:
            at = max(bucket.due - (rate.burst - 1) * rate.step_s, now)
            bucket.due = max(bucket.due, now) + rate.step_s
        if at > now:
            bucket.slots[delivery_id] = at
            return at - now
        bucket.slots.pop(delivery_id, None)
        return 0.0
