"""Reads what a provider says in its JSON answer; HTTP 200 alone is no success."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any

from vabhub.channels import http
from vabhub.channels.base import Outcome, OutcomeKind

NOBODY: frozenset[int] = frozenset()
CHINA = timezone(timedelta(hours=8))


@dataclass(frozen=True, slots=True, kw_only=True)
class Codes:
    """What the codes of one provider mean; one that is not listed may go away by itself.

    `code` and `words` are the fields of the answer that hold them, the first that is there counts.
    `waits_s` are the codes that ask to slow down, each with the least wait in seconds.
    """

    code: tuple[str, ...]
    words: tuple[str, ...]
    ok: frozenset[int] = frozenset({0})
    channel: frozenset[int] = NOBODY
    message: frozenset[int] = NOBODY
    too_long: frozenset[int] = NOBODY
    waits_s: Mapping[int, float] = field(default_factory=dict)

    def of(self, said: Mapping[str, Any]) -> int | None:
        """Return the code of an answer, None when it has none."""
        found = next((said[name] for name in self.code if name in said), None)
        return found if isinstance(found, int) and not isinstance(found, bool) else None

    def outcome(self, answer: http.Answer) -> Outcome:
        """Return what the answer means."""
        said = json_object(answer)
        code = self.of(said)
        if code is None:
            return not_the_providers(answer)
        if code in self.ok:
            return Outcome(OutcomeKind.OK, self._text(code, said), answer.status) if _is_2xx(answer) else (
                http.outcome_by_status(answer)
            )  # fmt: skip
        outcome = Outcome(self._kind(code, answer), self._text(code, said), answer.status)
        if outcome.kind is OutcomeKind.RATE_LIMITED:
            asked_s = wait_s(answer, said)
            least_s = self.waits_s.get(code)
            return replace(outcome, retry_after_s=max(filter(None, (asked_s, least_s)), default=None))
        return replace(outcome, too_long=code in self.too_long)

    def _kind(self, code: int, answer: http.Answer) -> OutcomeKind:
        if code in self.waits_s or answer.status == 429:
            return OutcomeKind.RATE_LIMITED
        if code in self.channel:
            return OutcomeKind.PERMANENT_CHANNEL
        if code in self.message or code in self.too_long:
            return OutcomeKind.PERMANENT_MESSAGE
        return OutcomeKind.TRANSIENT

    def _text(self, code: int, said: Mapping[str, Any]) -> str:
        words = next((str(said[name]) for name in self.words if said.get(name)), "")
        return f"{code} {words}".strip()


def json_object(answer: http.Answer) -> dict[str, Any]:
    """Return the JSON object of an answer, empty when it is none (a proxy's page, a torn body)."""
    try:
        said = json.loads(answer.text)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def wait_s(answer: http.Answer, said: Mapping[str, Any]) -> float | None:
    """Return the seconds that a provider asks to wait: `retry_after` in its body, or the header."""
    inner = [said.get(name) for name in ("parameters", "data")]
    for place in (said, *(one for one in inner if isinstance(one, dict))):
        found = place.get("retry_after")
        if isinstance(found, int | float) and not isinstance(found, bool) and found >= 0:
            return float(found)
    return http.retry_after_s(answer)


def until_midnight_s(now: datetime, zone: tzinfo = UTC) -> float:
    """Return the seconds until a provider whose day is `zone`'s begins to count anew."""
    there = now.astimezone(zone)
    midnight = (there + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return (midnight - there).total_seconds()


def by_status_alone(answer: http.Answer) -> Outcome:
    """Return what the status says, with the wait that a body may ask for."""
    outcome = http.outcome_by_status(answer)
    if outcome.kind is OutcomeKind.RATE_LIMITED:
        return replace(outcome, retry_after_s=wait_s(answer, json_object(answer)))
    return outcome


def not_the_providers(answer: http.Answer) -> Outcome:
    """Judge a proxy's page, or an answer that was torn off: a yes is only the provider's own."""
    by_status = by_status_alone(answer)
    if by_status.kind is not OutcomeKind.OK:
        return by_status
    text = f"HTTP {answer.status}, but not an answer of the provider's: {answer.text}"
    return Outcome(OutcomeKind.UNCERTAIN, text, answer.status)


def _is_2xx(answer: http.Answer) -> bool:
    return 200 <= answer.status < 300
