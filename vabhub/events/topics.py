"""The topics of the live socket and the type of each push."""

from __future__ import annotations

from enum import StrEnum


class Topic(StrEnum):
    """What a client may subscribe to."""

    DASHBOARD = "dashboard"
    SYSTEM = "system"
    DOWNLOADS = "downloads"
    NOTIFICATIONS = "notifications"
    API_PERFORMANCE = "api_performance"


UPDATE_TYPE: dict[Topic, str] = {
    Topic.DASHBOARD: "dashboard_update",
    Topic.SYSTEM: "system_update",
    Topic.DOWNLOADS: "download_update",
    Topic.NOTIFICATIONS: "notification_update",
    Topic.API_PERFORMANCE: "api_performance_update",
}

# A client that missed one of these needs only the newest; of the others it must see every one.
STATE_TOPICS = frozenset({Topic.DASHBOARD, Topic.SYSTEM, Topic.DOWNLOADS, Topic.API_PERFORMANCE})
