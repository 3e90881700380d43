"""The tables, one file a topic."""

from vabhub.models.account import ApiToken, LoginSession, User
from vabhub.models.activity import Activity
from vabhub.models.alert import Alert, AlertRule
from vabhub.models.base import Base, UtcDateTime
from vabhub.models.cache import CacheRow
from vabhub.models.download import DownloadSeen
from vabhub.models.library import (
    LibraryDay,
    LibraryFile,
    LibraryFolder,
    LibraryOverride,
    LibraryRoot,
    LibraryScan,
)
from vabhub.models.metric import MetricPoint, MetricSeries, MetricTier
from vabhub.models.notification import Attempt, Channel, Delivery, Notification
from vabhub.models.push import PushKey, PushSubscription
from vabhub.models.service import Service
from vabhub.models.template import MessageTemplate

__all__ = [
    "Activity",
    "Alert",
    "AlertRule",
    "ApiToken",
    "Attempt",
    "Base",
    "CacheRow",
    "Channel",
    "Delivery",
    "DownloadSeen",
    "LibraryDay",
    "LibraryFile",
    "LibraryFolder",
    "LibraryOverride",
    "LibraryRoot",
    "LibraryScan",
    "LoginSession",
    "MessageTemplate",
    "MetricPoint",
    "MetricSeries",
    "MetricTier",
    "Notification",
    "PushKey",
    "PushSubscription",
    "Service",
    "User",
    "UtcDateTime",
]
