"""Notifications: accepted, delivered, swept, kept."""
