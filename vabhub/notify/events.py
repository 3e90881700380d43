"""What the hub itself tells, each with an example: the templates' words are tried on these."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

PLAIN = "notification"  # whatever names no template
CHANNEL_DISABLED = "channel_disabled"
CHANNEL_HELD = "channel_held"
CHANNEL_HEALED = "channel_healed"
CHANNEL_TEST = "channel_test"
ALERT_FIRING = "alert.firing"
ALERT_RESOLVED = "alert.resolved"

# What every template may use; `data` is what the sender gave, or what the event tells.
VARIABLES = (
    "title",
    "message",
    "type",
    "priority",
    "link",
    "image_url",
    "created_at",
    "event",
    "channel",
    "language",
    "data",
)


@dataclass(frozen=True, slots=True)
class HubEvent:
    """One thing the hub tells by itself. `data` is an example of what comes with it."""

    name: str
    type: str = "info"
    priority: str = "normal"
    data: Mapping[str, Any] = field(default_factory=dict)


_DOWNLOAD = {
    "instance": "qbittorrent",
    "name": "debian-12.iso",
    "names": ["debian-12.iso"],
    "total": 1,
    "size_bytes": 659554304,
    "category": "linux",
    "minutes": 30,
}
_ALERT = {
    "event": ALERT_FIRING,
    "alert_id": 7,
    "rule_id": 1,
    "rule": "",
    "metric": "disk_usage",
    "subject": "/data",
    "value": 96.2,
    "threshold": 95.0,
    "unit": "%",
    "since": "2026-03-01T12:00:00Z",
    "minutes": 5,
}
_BROKEN = {"channel": "phone", "reason": "Unauthorized: the token was revoked"}

EVENTS: Mapping[str, HubEvent] = {
    event.name: event
    for event in (
        HubEvent(PLAIN, data={"season": 2, "episode": 5}),
        HubEvent(CHANNEL_DISABLED, "error", "high", _BROKEN),
        HubEvent(CHANNEL_HELD, "error", "high", {"channel": "phone", "reason": "HTTP 502: Bad Gateway"}),
        HubEvent(CHANNEL_HEALED, "success", "high", {"channel": "phone", "reason": ""}),
        HubEvent(CHANNEL_TEST, data={"channel": "phone"}),
        HubEvent("download.added", "info", "low", _DOWNLOAD),
        HubEvent("download.completed", "success", data=_DOWNLOAD),
        HubEvent("download.failed", "error", "high", _DOWNLOAD),
        HubEvent("download.stalled", "warning", data=_DOWNLOAD),
        HubEvent(ALERT_FIRING, "warning", data=_ALERT),
        HubEvent(ALERT_RESOLVED, "success", data={**_ALERT, "event": ALERT_RESOLVED, "value": 91.0}),
    )
}
