"""What the queue's page and a notification's page start with, and the queue's form without JavaScript."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from vabhub.clock import parse_iso
from vabhub.db import reading, transaction
from vabhub.errors import Unavailable
from vabhub.log import get_logger
from vabhub.notify.backlog import count_open
from vabhub.notify.deliveries import retry_many
from vabhub.notify.history import get_notification
from vabhub.notify.lists import DeliveryQuery, list_deliveries
from vabhub.settings import Settings
from web import first_paint, i18n
from web.delivery_words import queue_url

log = get_logger(__name__)

_SLICE = 100  # a bulk resend in pieces, so that other writers get their turn


def queue(translator: i18n.Translator, settings: Settings, arguments: Mapping[str, str]) -> dict[str, Any]:
    """Return what the queue's template needs; `page` and `counts` are None while the database is away."""
    query = _query(arguments)
    page, counts = _read(query)
    shown = {"status": query.status, "channel": query.channel, "page": page["page"] if page else query.page}
    start = {"page": page, "counts": counts, "query": shown}
    return {
        **start,
        "notice": _notice(translator, arguments.get("resent", "")),
        **first_paint.shell(translator, settings, entry="js/queue.js", queue=start),
    }


def notification(translator: i18n.Translator, settings: Settings, notification_id: int) -> dict[str, Any]:
    """Return what a notification's template needs; raises NotFound."""
    with reading() as session:
        found = get_notification(session, notification_id)
    content = first_paint.shell(translator, settings, entry="js/notification.js", notification=found)
    return {"notification": found, **content}


def resend(form: Mapping[str, str]) -> str:
    """Start anew the dead deliveries that a form counted, and return where to look at them."""
    channel, died_by = _clean(form.get("channel", "")) or None, _moment(form.get("died_by", ""))
    count = part = 0
    while died_by and (part := _resend(channel, died_by)):
        count += part
    address = queue_url(None, channel)
    return f"{address}{'&' if channel else '?'}resent={count}"


def _resend(channel: str | None, died_by: Any) -> int:
    with transaction() as session:
        return retry_many(session, channel=channel, died_by=died_by, limit=_SLICE)


def _query(arguments: Mapping[str, str]) -> DeliveryQuery:
    given = {name: arguments.get(name, "") for name in ("status", "channel", "page")}
    known = {name: clean for name, value in given.items() if (clean := _clean(value))}
    try:
        return DeliveryQuery.model_validate_strings({"open_only": "true", **known})
    except ValidationError:
        return DeliveryQuery(open_only=True)


def _read(query: DeliveryQuery) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    # The page also has to open while the database is away: then it says so.
    try:
        with reading() as session:
            page = list_deliveries(session, query).to_json()
            if not page["items"] and query.page > 1:
                last = query.model_copy(update={"page": max(1, page["total_pages"])})
                page = list_deliveries(session, last).to_json()
            return page, count_open(session, query.channel)
    except Unavailable as error:
        log.warning("page.queue_missing", reason=error.message)
        return None, None


def _notice(translator: i18n.Translator, resent: str) -> str:
    return translator.text("queue.resent", n=int(resent)) if resent.isdecimal() and len(resent) < 10 else ""


def _clean(text: str) -> str:
    return text.replace("\x00", "")  # PostgreSQL cannot even be asked for U+0000


def _moment(text: str) -> Any:
    try:
        return parse_iso(text)
    except ValueError:
        return None
