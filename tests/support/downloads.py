"""Reads download clients the way the scheduler does."""

from __future__ import annotations

from collections.abc import Sequence

from vabhub.collectors.base import Snapshot
from vabhub.collectors.downloads import ClientConfig, from_settings, read_all, snapshot_of
from vabhub.settings import Settings


def collect_all(settings: Settings) -> Snapshot:
    """Return the snapshot of the clients that the environment names."""
    return read_clients(from_settings(settings))


def read_clients(configs: Sequence[ClientConfig]) -> Snapshot:
    """Return the snapshot of these clients."""
    return snapshot_of(read_all(configs))
