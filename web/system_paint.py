"""What the page /system starts with: how the web processes do."""

from __future__ import annotations

from typing import Any

import redis

from vabhub.collectors.base import Source
from vabhub.collectors.publish import last_snapshot
from vabhub.log import get_logger
from vabhub.settings import Settings
from web import first_paint, i18n
from web.first_paint import First

log = get_logger(__name__)


def system(translator: i18n.Translator, settings: Settings) -> dict[str, Any]:
    """Return what the page's template needs."""
    first = _performance()
    numbers = {"api_performance": {"data": first.data, "meta": first.meta}}
    content = first_paint.shell(translator, settings, entry="js/system.js", first=numbers)
    return {"first": {"performance": first}, **content}


def _performance() -> First:
    try:
        snapshot = last_snapshot(Source.API_PERFORMANCE)
    except redis.RedisError as error:
        log.warning("page.first_number_missing", source="api_performance", reason=str(error)[:200])
        return First(None, {})
    return First(snapshot.data, snapshot.meta()) if snapshot else First(None, {})
