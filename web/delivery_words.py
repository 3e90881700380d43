"""What deliveries and their attempts are called, the same as static/js/words.js writes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from jinja2 import pass_context
from jinja2.runtime import Context

from vabhub.clock import parse_iso, utcnow
from web import i18n, readable

_CANCELLABLE = frozenset({"pending", "retrying", "sending"})
_RETRYABLE = frozenset({"pending", "retrying", "dead", "cancelled"})


def moment_text(at: str | None) -> str:
    """Return a time as the server's clock shows it, with its date unless that is today."""
    moment = parse_iso(at).astimezone() if at else None
    if moment is None:
        return ""
    today = moment.date() == utcnow().astimezone().date()
    return moment.strftime("%H:%M:%S" if today else "%Y-%m-%d %H:%M:%S")


def can_cancel(delivery: Mapping[str, Any]) -> bool:
    """Return whether there is something left to cancel."""
    return delivery.get("status") in _CANCELLABLE and not delivery.get("cancel_requested")


def can_retry(delivery: Mapping[str, Any]) -> bool:
    """Return whether it can be attempted now, or again."""
    return delivery.get("status") in _RETRYABLE


def retry_key(delivery: Mapping[str, Any]) -> str:
    """Return the text of the button that does so."""
    if delivery.get("status") in {"dead", "cancelled"}:
        return "action.resend"
    return "action.retry_now" if delivery.get("attempt_count") else "action.send_now"


@pass_context
def next_text(context: Context, delivery: Mapping[str, Any]) -> str:
    """Return what comes next for a delivery and when, or how it ended."""
    translate = i18n.Translator(context["locale"]).text
    status, count = delivery.get("status"), delivery.get("attempt_count") or 0
    if status == "sending":
        asked = delivery.get("cancel_requested")
        return translate("next.cancel_asked") if asked else translate("next.sending", n=count)
    if status in {"pending", "retrying"}:
        return translate("next.at", time=moment_text(delivery.get("next_attempt_at")))
    time = moment_text(delivery.get("finished_at"))
    return translate(f"next.{status}", n=count, time=time) if status else ""


@pass_context
def outcome_text(context: Context, attempt: Mapping[str, Any]) -> str:
    """Return how an attempt ended."""
    translator = i18n.Translator(context["locale"])
    key = f"outcome.{attempt.get('outcome') or 'running'}"
    return translator.text(key if translator.has(key) else "outcome.unknown")


@pass_context
def then_text(context: Context, attempt: Mapping[str, Any]) -> str:
    """Return what an attempt led to."""
    translate = i18n.Translator(context["locale"]).text
    state, at = attempt.get("next_state"), moment_text(attempt.get("next_attempt_at"))
    if state in {"dead", "cancelled"}:
        return translate(f"then.{state}")
    if state == "retrying":
        wait = attempt.get("retry_after_s")
        if wait and at:
            return translate("then.retry_after", time=at, wait=readable.duration(wait))
        return translate("then.retry", time=at) if at else translate("then.retry_soon")
    return translate("then.lost") if attempt.get("finished_at") and not state else ""


@pass_context
def sum_text(context: Context, counts: Mapping[str, Any] | None) -> str:
    """Return one sentence about the whole queue."""
    if counts is None:
        return readable.UNKNOWN
    translate = i18n.Translator(context["locale"]).text
    dead, left = counts["states"]["dead"], sum(counts["states"].values())
    if dead:
        return translate("queue.sum_dead", n=dead)
    return translate("queue.sum_open", n=left) if left else translate("queue.sum_none")


@pass_context
def hold_texts(context: Context, counts: Mapping[str, Any] | None) -> list[str]:
    """Return why channels keep back what waits for them."""
    translate = i18n.Translator(context["locale"]).text
    texts = []
    for row in (counts or {}).get("channels", ()):
        hold = row["hold"]
        if hold and row["pending"] + row["retrying"] + row["dead"]:
            kind = "off_because" if hold["kind"] == "off" and hold["reason"] else hold["kind"]
            until = moment_text(hold["until"])
            texts.append(translate(f"hold.{kind}", channel=row["channel"], reason=hold["reason"], time=until))
    return texts


@pass_context
def at_text(context: Context, page: Mapping[str, Any]) -> str:
    """Return which part of a list is shown."""
    first = (page["page"] - 1) * page["page_size"] + 1
    last = first + len(page["items"]) - 1
    translate = i18n.Translator(context["locale"]).text
    return translate("queue.at", first=first, last=last, total=readable.number(page["total"]))


def queue_url(status: str | None, channel: str | None, page: int = 1) -> str:
    """Return the address of a part of the queue."""
    wanted = {"status": status, "channel": channel, "page": page if page > 1 else None}
    query = urlencode({name: value for name, value in wanted.items() if value})
    return f"/queue?{query}" if query else "/queue"


def safe_link(link: str | None) -> bool:
    """Return whether a link from outside may be followed: a page, and nothing that runs here."""
    return bool(link) and str(link).lower().startswith(("http://", "https://"))


TEMPLATE_FUNCTIONS: dict[str, Any] = {
    "at_text": at_text,
    "can_cancel": can_cancel,
    "can_retry": can_retry,
    "hold_texts": hold_texts,
    "moment_text": moment_text,
    "next_text": next_text,
    "outcome_text": outcome_text,
    "queue_url": queue_url,
    "retry_key": retry_key,
    "safe_link": safe_link,
    "sum_text": sum_text,
    "then_text": then_text,
    "took": readable.took,
}
