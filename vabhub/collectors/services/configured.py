"""Which download clients there are now: those of the environment, and those that were set up on the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select

from vabhub.collectors.downloads import ClientConfig, from_settings
from vabhub.collectors.services.kinds import KINDS, config_of
from vabhub.db import reading
from vabhub.errors import SettingsError, Unavailable
from vabhub.log import get_logger
from vabhub.models import Service
from vabhub.notify.sealed import open_settings
from vabhub.settings import Settings

log = get_logger(__name__)

_Version = tuple[int, datetime]

# Unsealing takes about a millisecond, and this is asked every two seconds. Kept also for while the database
# is away: what is read must not depend on it.
_kept: dict[_Version, ClientConfig | None] = {}


def configured(settings: Settings) -> Sequence[ClientConfig]:
    """Return every client that is to be read; of two with one name, that of the environment."""
    ours = from_settings(settings)
    names = {config.name for config in ours}
    return [*ours, *(config for config in _stored() if config.name not in names)]


def _stored() -> list[ClientConfig]:
    global _kept
    columns = (Service.id, Service.name, Service.kind, Service.sealed_settings, Service.updated_at)
    try:
        with reading() as session:
            rows = session.execute(select(*columns).where(Service.enabled).order_by(Service.name)).all()
        # What was kept of a row that changed or went is dropped.
        _kept = {(row.id, row.updated_at): _config(row, _kept) for row in rows}
    except Unavailable as error:
        log.warning("services.unread", reason=error.message)
    return [config for config in _kept.values() if config is not None]


def _config(row: Any, kept: Mapping[_Version, ClientConfig | None]) -> ClientConfig | None:
    version = (row.id, row.updated_at)
    if version in kept:
        return kept[version]
    kind = KINDS.get(row.kind)
    try:
        return None if kind is None else config_of(kind, row.name, open_settings(row.sealed_settings))
    except SettingsError as error:
        log.warning("services.sealed", service=row.name, reason=error.message)
        return None
