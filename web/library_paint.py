"""What the library's page starts with, and its words for a browser without JavaScript."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from jinja2 import pass_context
from jinja2.runtime import Context

from vabhub.collectors import library
from vabhub.db import reading
from vabhub.errors import Unavailable
from vabhub.log import get_logger
from vabhub.settings import Settings
from web import first_paint, i18n, readable

log = get_logger(__name__)

_PAGE_SIZE = 20
_MOST_PAGES = 1_000_000
_FEWEST_DAYS = 2


def page(translator: i18n.Translator, settings: Settings, arguments: Mapping[str, str]) -> dict[str, Any]:
    """Return what the library's template needs; all is None while the database is away."""
    start = _read(_number(arguments.get("unparsed", "")), _number(arguments.get("duplicates", "")))
    return {**start, **first_paint.shell(translator, settings, entry="js/library.js", library=start)}


def _read(unparsed: int, duplicates: int) -> dict[str, Any]:
    # The page also has to open while the database is away: then it says so.
    try:
        with reading() as session:
            return {
                "roots": library.roots_view(session),
                "unparsed": library.unparsed(session, page=unparsed, page_size=_PAGE_SIZE),
                "duplicates": library.duplicates(session, page=duplicates, page_size=_PAGE_SIZE),
            }
    except Unavailable as error:
        log.warning("page.library_missing", reason=error.message)
        return {"roots": None, "unparsed": None, "duplicates": None}


def _number(text: str) -> int:
    return min(max(1, int(text)), _MOST_PAGES) if text.isdecimal() and len(text) < 10 else 1


@pass_context
def files_text(context: Context, root: Mapping[str, Any]) -> str:
    """Return how many files a root has."""
    count = root.get("files")
    return "–" if count is None else i18n.Translator(context["locale"]).text("library.files", n=count)


def size_text(root: Mapping[str, Any]) -> str:
    """Return a root's size."""
    return str(readable.gib_parts(root.get("size_gb")))


def bytes_text(size_bytes: int | None) -> str:
    """Return a file's size."""
    return readable.size(size_bytes)


@pass_context
def scan_text(context: Context, root: Mapping[str, Any]) -> str:
    """Return how a root's scan stands, as web/static/js/library.js writes it."""
    translate, scan = i18n.Translator(context["locale"]).text, root.get("scan") or {}
    if scan.get("state") == "queued":
        return translate("library.queued")
    if scan.get("state") == "running":
        total = scan.get("total")
        shown = f"{readable.number(scan.get('done'))} / {readable.number(total)}"
        return shown if total else translate("library.scanning")
    if root.get("status") == "stale" or not root.get("scanned_at"):
        return translate("library.stale" if root.get("status") == "stale" else "library.never")
    return translate("library.scanned", time=first_paint.clock_text(root["scanned_at"]))


@pass_context
def watch_text(context: Context, root: Mapping[str, Any]) -> str:
    """Return how soon changes of a root are noticed, and why not sooner."""
    translate, watch = i18n.Translator(context["locale"]).text, root.get("watch")
    if not watch or not watch["folders"]:
        return ""
    if watch["reason"] is None and watch["watched"]:
        return translate("library.watched")
    reason = translate(f"library.watch_{watch['reason']}") if watch["reason"] else ""
    return translate("library.watched_part", n=watch["watched"], of=watch["folders"], reason=reason)


def work_text(work: Mapping[str, Any]) -> str:
    """Return `Title (2001)` or `Title S01E02`."""
    title = str(work.get("title") or "")
    if work.get("kind") == "movie":
        return f"{title} ({work['year']})" if work.get("year") else title
    season, episode = work.get("season"), work.get("episode")
    place = ("" if season is None else f"S{season:02}") + ("" if episode is None else f"E{episode:02}")
    return f"{title} {place}".strip()


@pass_context
def quality_text(context: Context, file: Mapping[str, Any]) -> str:
    """Return a file's quality in the reader's language."""
    translator, quality = i18n.Translator(context["locale"]), str(file.get("quality") or "")
    return translator.text(f"quality.{quality}") if translator.has(f"quality.{quality}") else quality


@pass_context
def growth_text(context: Context, growth: Mapping[str, Any] | None) -> str:
    """Return how many files came within 30 days."""
    translate, change = i18n.Translator(context["locale"]).text, (growth or {}).get("files_30d")
    if change is None:
        return translate("library.growth_unknown")
    if change == 0:
        return translate("library.level")
    return translate("library.grown" if change > 0 else "library.shrunk", n=abs(change))


def growth_points(growth: Mapping[str, Any] | None) -> str:
    """Return the line of the sizes by day in a box of 100 × 24; empty until there are two days."""
    days = (growth or {}).get("days") or []
    if len(days) < _FEWEST_DAYS:
        return ""
    # By the date, not by the count: days without a scan are a longer way, not a jump.
    first, last = (date.fromisoformat(day["day"]).toordinal() for day in (days[0], days[-1]))
    sizes = [day["size_gb"] for day in days]
    low, span = min(sizes), (max(sizes) - min(sizes)) or 1
    return " ".join(
        f"{100 * (date.fromisoformat(day['day']).toordinal() - first) / (last - first):.1f},"
        f"{22 - 20 * (day['size_gb'] - low) / span:.1f}"
        for day in days
    )


TEMPLATE_FUNCTIONS: dict[str, Any] = {
    "bytes_text": bytes_text,
    "files_text": files_text,
    "growth_points": growth_points,
    "growth_text": growth_text,
    "quality_text": quality_text,
    "scan_text": scan_text,
    "size_text": size_text,
    "watch_text": watch_text,
    "work_text": work_text,
}
