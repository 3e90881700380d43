"""Notifications that are not lost: accepted into the database, delivered by workers, kept as history."""

from vabhub.notify.manager import NotificationChannelManager, Receipt

__all__ = ["NotificationChannelManager", "Receipt"]
