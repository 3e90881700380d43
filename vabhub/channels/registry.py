"""Finds the channels: every module of this package that names a CHANNEL is one kind."""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import Any

from pydantic import ValidationError

from vabhub import channels
from vabhub.channels import guard
from vabhub.channels.base import Channel
from vabhub.errors import FieldError, NotFound, ValidationFailed


@cache
def kinds() -> Mapping[str, type[Channel]]:
    """Return every kind of channel by its name, in alphabetical order."""
    modules = (import_module(f"{channels.__name__}.{found.name}") for found in _modules())
    found = [module.CHANNEL for module in modules if hasattr(module, "CHANNEL")]
    return {channel.kind: channel for channel in sorted(found, key=lambda channel: str(channel.kind))}


def kind_of(kind: str) -> type[Channel]:
    """Return the class of that kind; raises NotFound for a kind that does not exist."""
    try:
        return kinds()[kind]
    except KeyError:
        raise NotFound(f"There is no channel kind {kind!r}; there are {', '.join(kinds())}.") from None


def make(kind: str, settings: Mapping[str, Any]) -> Channel:
    """Return a channel ready to send; raises ValidationFailed naming `settings.<field>`."""
    channel = kind_of(kind)
    try:
        checked = channel.Settings.model_validate(dict(settings))
    except ValidationError as error:
        raise ValidationFailed([_field_error(found) for found in error.errors(include_url=False)]) from error
    refuse_addresses({name: getattr(checked, name) for name in channel.Settings.model_fields})
    return channel(checked)


def refuse_addresses(settings: Mapping[str, Any], *, look_up_names: bool = False) -> None:
    """Raise ValidationFailed where a setting is an address that is not called; see `guard`."""
    wrong = list(guard.refused(settings, look_up_names=look_up_names))
    if wrong:
        raise ValidationFailed(
            [FieldError(f"settings.{name}", why, "refused_address") for name, why in wrong]
        )


def usual_rate(kind: str) -> tuple[float, int] | None:
    """Return how many messages a minute the provider takes and how many of them at once.

    None when it names no limit or is unknown.
    """
    channel = kinds().get(kind)
    rate: float | None = getattr(channel, "usual_rate_per_minute", None)
    return None if rate is None else (rate, getattr(channel, "usual_burst", 1))


def _field_error(found: Any) -> FieldError:
    where = ".".join(str(part) for part in ("settings", *found["loc"]))
    return FieldError(where, str(found["msg"]), str(found["type"]))


def _modules() -> list[pkgutil.ModuleInfo]:
    return list(pkgutil.iter_modules(channels.__path__))
