"""Publish to every process and listen: Redis pub/sub with a stored last value and a sequence a topic.

Pub/sub alone loses silently (a publish right after a restart reaches nobody), so the last value is stored
in the same step and a listener is told each time it is connected anew, to read it.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from typing import Any

import redis
from redis.client import Pipeline

from vabhub import clock
from vabhub.events.topics import UPDATE_TYPE, Topic
from vabhub.log import get_logger
from vabhub.redis_client import PREFIX, get_pubsub_redis, get_redis

log = get_logger(__name__)

CHANNEL = f"{PREFIX}live"
FENCE_KEY = f"{PREFIX}leader:token"
RECONNECT_S = (0.2, 0.5, 1.0, 2.0, 5.0)
_POLL_S = 1.0

# KEYS: sequence, last value, leader's token.
# ARGV: envelope before and after the sequence, fence, channel, topic.
# A sequence that is gone (Redis was wiped) goes on from the clock in microseconds, so it never runs
# backwards: nobody publishes a million messages a second. 2^53 microseconds last until the year 2255.
_PUBLISH = """
if ARGV[3] ~= '' then
  local token = redis.call('GET', KEYS[3])
  if token and token ~= ARGV[3] then return -1 end
end
local seq = redis.call('INCR', KEYS[1])
if seq == 1 then
  local now = redis.call('TIME')
  seq = now[1] * 1000000 + now[2]
  redis.call('SET', KEYS[1], string.format('%.0f', seq))
end
local text = ARGV[1] .. string.format('%.0f', seq) .. ARGV[2]
redis.call('SET', KEYS[2], text)
redis.call('PUBLISH', ARGV[4], ARGV[5] .. ' ' .. string.format('%.0f', seq) .. ' ' .. text)
return seq
"""


def publish(
    topic: Topic,
    data: Mapping[str, Any],
    meta: Mapping[str, Any] | None = None,
    *,
    fence: int | None = None,
) -> int | None:
    """Store `data` as the topic's last value, send it to all listeners, and return its sequence number.

    With `fence` (the token of a leader's lease) a publisher that has lost the lease is refused and gets
    None. Raises redis.RedisError when Redis does not answer: the caller knows whether that matters.
    """
    keys, arguments = _asked(topic, data, meta, fence)
    script = get_redis().register_script(_PUBLISH)
    seq = int(script(keys=keys, args=arguments))
    return None if seq < 0 else seq


def publish_with(pipe: Pipeline, topic: Topic, data: Mapping[str, Any]) -> None:
    """Publish with whatever else the pipeline carries."""
    keys, arguments = _asked(topic, data, None, None)
    # By its text: a pipeline would first ask whether Redis knows the script, which is another round trip.
    pipe.eval(_PUBLISH, len(keys), *keys, *arguments)


def publish_or_log(topic: Topic, data: Mapping[str, Any], meta: Mapping[str, Any] | None = None) -> None:
    """Publish what a client can also read by REST: while Redis is away it is only logged."""
    try:
        publish(topic, data, meta)
    except redis.RedisError as error:
        log.warning("bus.publish_lost", topic=topic.value, reason=str(error)[:200])


def last_key(topic: Topic) -> str:
    """Return the Redis key under which the topic's last envelope is stored."""
    return f"{PREFIX}last:{topic.value}"


def last_bytes(topic: Topic) -> bytes | None:
    """Return the last envelope as it went over the wire, or None when there was none."""
    return get_redis().get(last_key(topic))  # type: ignore[return-value]


def last(topic: Topic) -> dict[str, Any] | None:
    """Return the last envelope, decoded."""
    raw = last_bytes(topic)
    return None if raw is None else json.loads(raw)


def listen(
    on_message: Callable[[Topic, int, bytes], None],
    on_state: Callable[[bool], None],
    stop: threading.Event,
) -> None:
    """Call `on_message(topic, seq, envelope)` for every publish until `stop` is set.

    It reconnects for ever. `on_state(True)` comes after each subscription (read the last values then: what
    was published in between is not repeated), `on_state(False)` when the connection is lost.
    """
    failures = 0

    def told(up: bool) -> None:
        nonlocal failures
        failures = 0
        on_state(up)

    while not stop.is_set():
        try:
            with get_pubsub_redis().pubsub() as pubsub:  # type: ignore[no-untyped-call]
                pubsub.subscribe(CHANNEL)
                _pump(pubsub, on_message, told, stop)
        except (redis.RedisError, OSError) as error:
            if failures == 0:
                log.warning("bus.lost", reason=str(error)[:200])
                on_state(False)
            stop.wait(RECONNECT_S[min(failures, len(RECONNECT_S) - 1)])
            failures += 1


def _pump(
    pubsub: Any,
    on_message: Callable[[Topic, int, bytes], None],
    on_state: Callable[[bool], None],
    stop: threading.Event,
) -> None:
    while not stop.is_set():
        message = pubsub.get_message(timeout=_POLL_S)
        if message is None:
            continue
        if message["type"] == "subscribe":
            on_state(True)
        elif message["type"] == "message":
            topic, seq, envelope = message["data"].split(b" ", 2)
            on_message(Topic(topic.decode("ascii")), int(seq), envelope)


def _asked(
    topic: Topic, data: Mapping[str, Any], meta: Mapping[str, Any] | None, fence: int | None
) -> tuple[list[str], list[str]]:
    before, after = _envelope(topic, data, meta)
    keys = [f"{PREFIX}seq:{topic.value}", last_key(topic), FENCE_KEY]
    return keys, [before, after, "" if fence is None else str(fence), CHANNEL, topic.value]


def _envelope(topic: Topic, data: Mapping[str, Any], meta: Mapping[str, Any] | None) -> tuple[str, str]:
    """Return the message's text around the place where Redis writes the sequence number."""
    before = {"type": UPDATE_TYPE[topic], "topic": topic.value}
    after = {"data": data, "meta": meta or {}, "timestamp": clock.isoformat(clock.utcnow())}
    head = json.dumps(before, separators=(",", ":"))[:-1]
    tail = json.dumps(after, separators=(",", ":"), ensure_ascii=False, allow_nan=False)[1:]
    return f'{head},"seq":', f",{tail}"
