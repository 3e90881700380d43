"""Seals every secret in the database anew with the newest key, so that an old key can be forgotten."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from vabhub.errors import SettingsError
from vabhub.models import Channel, PushKey, PushSubscription, Service
from vabhub.secret_box import is_newest, reseal, unseal


@dataclass(frozen=True, slots=True)
class Resealed:
    """How many were sealed anew, and what no key opens."""

    count: int
    lost: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Place:
    """A column that holds sealed text, and what a row of it is called."""

    model: type[Any]
    column: str
    name: Callable[[Any], str]


_PLACES = (
    _Place(Channel, "sealed_settings", lambda row: f"channel {row.name}"),
    _Place(Service, "sealed_settings", lambda row: f"service {row.name}"),
    _Place(PushSubscription, "sealed", lambda row: f"browser {row.id} of {row.owner}"),
    _Place(PushKey, "sealed_private_key", lambda row: "the key of browser pushes"),
)


def reseal_all(session: Session) -> Resealed:
    """Seal anew what an older key sealed; what cannot be opened stays as it is."""
    count, lost = 0, []
    for place, row in _sealed(session):
        sealed = getattr(row, place.column)
        if is_newest(sealed):
            continue
        try:
            setattr(row, place.column, reseal(sealed))
            count += 1
        except SettingsError:
            lost.append(place.name(row))
    return Resealed(count, tuple(lost))


def old_seals(session: Session) -> Resealed:
    """Return how many an older key sealed, and what no key opens; changes nothing."""
    count, lost = 0, []
    for place, row in _sealed(session):
        sealed = getattr(row, place.column)
        if is_newest(sealed):
            continue
        try:
            unseal(sealed)
            count += 1
        except SettingsError:
            lost.append(place.name(row))
    return Resealed(count, tuple(lost))


def _sealed(session: Session) -> Iterator[tuple[_Place, Any]]:
    for place in _PLACES:
        column = getattr(place.model, place.column)
        for row in session.scalars(select(place.model).where(column.is_not(None)).order_by(place.model.id)):
            yield place, row
