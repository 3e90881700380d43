"""Hand a reading on: kept as the source's last one, and pushed to whoever listens."""

from __future__ import annotations

from vabhub.collectors.base import Snapshot
from vabhub.events import bus
from vabhub.events.topics import Topic
from vabhub.log import get_logger
from vabhub.redis_client import PREFIX, get_redis

log = get_logger(__name__)


def publish_snapshot(snapshot: Snapshot, topic: Topic | None = None, fence: int | None = None) -> bool:
    """Keep the snapshot and push its data; False when `fence` belongs to a lease that was lost since.

    Raises redis.RedisError when Redis does not answer.
    """
    if topic is not None and bus.publish(topic, snapshot.data or {}, snapshot.meta(), fence=fence) is None:
        log.warning("publish.refused", source=snapshot.source, fence=fence)
        return False
    get_redis().set(_key(snapshot.source), snapshot.to_json())
    return True


def last_snapshot(source: str) -> Snapshot | None:
    """Return the source's last reading, None when there was none. Raises redis.RedisError."""
    raw = get_redis().get(_key(source))
    if raw is None:
        return None
    try:
        return Snapshot.from_json(raw)
    except (ValueError, KeyError, TypeError):
        log.warning("publish.unreadable_snapshot", source=source)
        return None


def _key(source: str) -> str:
    return f"{PREFIX}snapshot:{source}"
