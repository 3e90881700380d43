"""The page /system/cache: what the cache did, drawn with its first numbers."""

from __future__ import annotations

from typing import Any

import redis
from flask import Flask

from vabhub.accounts import Scope
from vabhub.cache.report import TIERS, report
from vabhub.log import get_logger
from vabhub.settings import get_settings
from web import first_paint, readable
from web.endpoint import page
from web.page_kit import blueprint, draw, translator

log = get_logger(__name__)

MINUTES = 60


def init_app(app: Flask) -> None:
    """Give the page's template what it may call."""
    app.jinja_env.globals.update(cache_bars=bars, cache_share=share, cache_build=build_time)


@page(blueprint, "/system/cache", access=Scope.READ)
def cache_overview() -> str:
    """Draw hit ratios, sizes and build times; without Redis the page says that they are unknown."""
    try:
        found: dict[str, Any] | None = report(MINUTES)
    except redis.RedisError as error:
        log.warning("page.cache_unknown", reason=str(error)[:200])
        found = None
    shell = first_paint.shell(translator(), get_settings(), entry="js/cache.js", cache=found)
    return draw("cache.html", "cache", {"cache": found, "tiers": TIERS, **shell})


def share(ratio: Any) -> str:
    """Return a ratio from 0 to 1 in percent."""
    return readable.percent(100 * ratio if readable.is_number(ratio) else None)


def build_time(build_ms: dict[str, Any] | None) -> str:
    """Return how long building took: the middle, and what 95 of 100 did not exceed."""
    return " / ".join(readable.took((build_ms or {}).get(name)) for name in ("p50", "p95"))


def bars(timeline: list[dict[str, Any]] | None) -> list[dict[str, float]]:
    """Return a bar for each minute, in percent of the drawing; a minute without a question has none."""
    width = 100 / MINUTES
    return [
        {"x": round(at * width, 3), "height": 100 * (minute["hit_ratio"] or 0)}
        for at, minute in enumerate(timeline or [])
    ]
