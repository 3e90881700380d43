"""The cache from outside: what it did, build it now, throw it away."""

from __future__ import annotations

from typing import Any

from flask import Blueprint
from pydantic import BaseModel, ConfigDict, Field

from vabhub.accounts import Scope
from vabhub.cache import store
from vabhub.cache.report import report
from vabhub.log import get_logger
from vabhub.redis_client import unavailable_when_down
from web.endpoint import endpoint
from web.envelope import Answer
from web.schemas import Out
from web.warm_up import warm_now

log = get_logger(__name__)

bp = Blueprint("cache", __name__)


class StatsQuery(BaseModel):
    """How far back."""

    model_config = ConfigDict(extra="forbid")
    minutes: int = Field(60, ge=1, le=1440)


class PrefixQuery(BaseModel):
    """What to forget: every key that begins like this."""

    model_config = ConfigDict(extra="forbid")
    prefix: str = Field(min_length=1, max_length=200)


class InTier(Out):
    """A prefix in one tier; null while the tier does not answer."""

    hits: int
    entries: int | None
    size_bytes: int | None


class BuildMs(Out):
    """How long building took; null without a build."""

    p50: float | None
    p95: float | None


class PrefixStats(Out):
    """One kind of keys, added up over all processes since Redis was last empty."""

    prefix: str
    hits: int
    hit_ratio: float | None
    misses: int
    stale: int
    builds: int
    failures: int
    build_ms: BuildMs
    tiers: dict[str, InTier]


class TierStats(Out):
    """One tier."""

    tier: str
    up: bool
    hits: int
    entries: int | None
    size_bytes: int | None
    evictions: int | None
    failures: int | None
    corrupt: int | None


class Minute(Out):
    """One minute; the ratio is null when nobody asked."""

    at: str
    asked: int
    hit_ratio: float | None
    hits: dict[str, int]
    misses: int
    stale: int
    builds: int


class CacheStats(Out):
    """All of it."""

    prefixes: list[PrefixStats]
    tiers: list[TierStats]
    timeline: list[Minute]
    processes: int


class Step(Out):
    """One value that was built."""

    name: str
    result: str
    took_ms: float


class Forgotten(Out):
    """How many keys were known to Redis or to this process."""

    prefix: str
    forgotten: int


@endpoint(
    bp,
    "GET",
    "/cache/stats",
    scope=Scope.READ,
    summary="What the cache did, by prefix, tier and minute",
    query=StatsQuery,
    answer=CacheStats,
)
def stats(query: StatsQuery) -> dict[str, Any]:
    """Return the shared statistics."""
    with unavailable_when_down():
        return report(query.minutes)


@endpoint(
    bp,
    "POST",
    "/cache/warm",
    scope=Scope.CONTROL,
    summary="Build the dashboard's values now",
    answer=list[Step],
)
def build() -> Answer:
    """Build what is not fresh."""
    done = warm_now()
    return Answer([Step(name=one.name, result=one.result, took_ms=one.took_ms) for one in done])


@endpoint(
    bp,
    "DELETE",
    "/cache",
    scope=Scope.CONTROL,
    summary="Forget every value whose key begins with `prefix`, in every process and tier",
    query=PrefixQuery,
    answer=Forgotten,
)
def forget(query: PrefixQuery) -> Answer:
    """Invalidate by prefix."""
    count = store().delete_prefix(query.prefix)
    log.info("cache.prefix_forgotten", prefix=query.prefix, known=count)
    return Answer(Forgotten(prefix=query.prefix, forgotten=count))
