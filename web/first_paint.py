"""The overview's first numbers: drawn into the page, and handed to the browser with the texts it needs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from jinja2 import pass_context
from jinja2.runtime import Context

from vabhub.clock import isoformat, parse_iso, utcnow
from vabhub.collectors import performance
from vabhub.db import reading
from vabhub.errors import Unavailable
from vabhub.log import get_logger
from vabhub.settings import Settings
from web import assets, i18n, readable
from web.api.dashboard import dashboard_payload

log = get_logger(__name__)

_SOURCES = ("system", "downloads", "media", "music", "dashboard")
_MOST_ITEMS = 50
_QUALITIES = ("2160p", "1080p", "720p", "480p", "unknown")
_ORDER = ("error", "downloading", "metadata", "checking", "moving", "stalled", "queued", "paused", "seeding")


@dataclass(frozen=True, slots=True)
class First:
    """What one tile starts with."""

    data: dict[str, Any] | None
    meta: dict[str, Any]


def overview(translator: i18n.Translator, settings: Settings) -> dict[str, Any]:
    """Return what the overview's template needs."""
    first = {name: _first(name) for name in _SOURCES}
    numbers = {name: {"data": one.data, "meta": one.meta} for name, one in first.items()}
    return {"first": first, **shell(translator, settings, entry="js/main.js", first=numbers)}


def downloads(translator: i18n.Translator, settings: Settings) -> dict[str, Any]:
    """Return what the downloads' template needs."""
    first = downloads_reading()
    numbers = {"downloads": {"data": first.data, "meta": first.meta}}
    content = shell(translator, settings, entry="js/downloads.js", first=numbers)
    return {"first": {"downloads": first}, **content}


def downloads_reading() -> First:
    """Return the last reading of the download clients."""
    return _first("downloads")


def shell(translator: i18n.Translator, settings: Settings, *, entry: str, **content: Any) -> dict[str, Any]:
    """Return what every page's template needs; `entry` is its first module, `content` what it starts with."""
    unread = _unread()
    return {
        "unread": unread,
        "entry": entry,
        "modules": assets.modules(entry),
        "now_clock": clock_text(utcnow()),
        "boot": _boot(translator.locale, settings, {"unread": unread, **content}),
    }


def pick_downloads(downloads: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the downloads that a person looks for first."""
    items = [item for item in downloads.get("items") or [] if item.get("state") != "completed"]
    return sorted(items, key=lambda item: (_rank(item), str(item.get("name"))))[:_MOST_ITEMS]


def quality_parts(by_quality: Mapping[str, int] | None) -> list[dict[str, Any]]:
    """Return each quality's files, and where its part of the bar starts and how wide it is, in percent."""
    counts = [(name, (by_quality or {}).get(name, 0)) for name in _QUALITIES]
    parts, start, total = [], 0.0, sum(count for _, count in counts)
    for name, count in counts:
        width = 100 * count / total if total else 0.0
        parts.append({"name": name, "count": count, "start": start, "width": width})
        start += width
    return parts


def clock_text(at: datetime | str | None) -> str:
    """Return a time of day as the server's clock shows it; the browser writes its own over it."""
    moment = parse_iso(at) if isinstance(at, str) else at
    return moment.astimezone().strftime("%H:%M:%S") if moment else ""


def clock_of(meta: Mapping[str, Any] | None) -> str:
    """Return when a tile's numbers were read."""
    return clock_text((meta or {}).get("collected_at"))


def tile_status(meta: Mapping[str, Any] | None) -> str:
    """Return ok, stale, error or unconfigured; unknown when nothing was read yet."""
    return str((meta or {}).get("status") or "unknown")


@pass_context
def note_of(context: Context, meta: Mapping[str, Any] | None) -> str:
    """Return why a source has no new numbers, in the reader's language, and what to do."""
    error = (meta or {}).get("error")
    if not error:
        return ""
    translator = i18n.Translator(context["locale"])
    code = str((meta or {}).get("error_code"))
    key = f"fault.{code}" if translator.has(f"fault.{code}") else "fault.other"
    return f"{translator.text(key)}: {translator.text(f'{key}.next', error=error)}"


@pass_context
def title_of(context: Context, event: Mapping[str, Any]) -> str:
    """Return what an event is called: ours in the reader's language, others in the words they came with."""
    translator, key = i18n.Translator(context["locale"]), f"event.{event.get('kind')}"
    data = event.get("data")
    if not data or not translator.has(key):
        return str(event.get("title") or "")
    named = {"root": root_name(context, data.get("root_kind"), data.get("root")), "n": data.get("total")}
    return translator.text(key, **{**data, **named})


def place_of(event: Mapping[str, Any]) -> str:
    """Return the folder that an event is about, if it is about one."""
    return str((event.get("data") or {}).get("root") or "")


@pass_context
def root_name(context: Context, kind: str | None, path: str | None) -> str:
    """Return what a media folder holds, in the reader's language; its name when that is not known."""
    translator = i18n.Translator(context["locale"])
    return translator.text(f"root.{kind}") if translator.has(f"root.{kind}") else Path(path or "").name


TEMPLATE_FUNCTIONS: dict[str, Any] = {
    "clock_of": clock_of,
    "clock_text": clock_text,
    "note_of": note_of,
    "pick_downloads": pick_downloads,
    "tile_status": tile_status,
    "place_of": place_of,
    "quality_parts": quality_parts,
    "root_name": root_name,
    "title_of": title_of,
    "duration": readable.duration,
    "gib_parts": readable.gib_parts,
    "gib_of": readable.gib_of,
    "level": readable.level,
    "number": readable.number,
    "per_s": readable.per_s,
    "percent": readable.percent,
    "percent_parts": readable.percent_parts,
    "rate": readable.rate,
    "rate_parts": readable.rate_parts,
    "size": readable.size,
    "size_of": readable.size_of,
}
TEMPLATE_FILTERS: dict[str, Any] = {"load": readable.load}


def _first(name: str) -> First:
    first = _payload(name)
    if name == "downloads" and first.data is not None:
        return First({**first.data, "downloaders": _payload("downloaders").data}, first.meta)
    return first


def _payload(name: str) -> First:
    # The page also has to open while a source or Redis is away: then its tile starts empty.
    try:
        data, meta = dashboard_payload(name)
    except Unavailable as error:
        log.warning("page.first_number_missing", source=name, reason=error.message)
        return First(None, {})
    return First(data, dict(meta))


def _unread() -> int | None:
    from vabhub.notify.announce import unread_count

    try:
        with reading() as session:
            return unread_count(session)
    except Unavailable:
        return None


def _boot(locale: str, settings: Settings, content: Mapping[str, Any]) -> str:
    boot = {
        "locale": locale,
        "texts": i18n.catalogue(locale),
        "now": isoformat(utcnow()),
        "intervals": {
            "system": settings.system_interval_s,
            # A list that does not change is only confirmed by the overview.
            "downloads": max(settings.downloads_interval_s, settings.dashboard_interval_s),
            "dashboard": settings.dashboard_interval_s,
            "media": settings.ttl_media_s,
            "api_performance": performance.INTERVAL_S,
        },
        **content,
    }
    return json.dumps(boot, ensure_ascii=False, separators=(",", ":"), default=str)


def _rank(item: Mapping[str, Any]) -> int:
    state = str(item.get("state"))
    return _ORDER.index(state) if state in _ORDER else len(_ORDER)
