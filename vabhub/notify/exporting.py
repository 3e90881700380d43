"""Channels and templates as one YAML file: to keep, to compare, to take to another machine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from vabhub.channels import registry
from vabhub.channels.base import MASK, secret_names
from vabhub.clock import isoformat, utcnow
from vabhub.errors import NotFound, SettingsError
from vabhub.models import Channel
from vabhub.notify.sealed import open_settings
from vabhub.notify.templates_admin import list_templates
from vabhub.notify.yaml_text import write_yaml
from vabhub.secret_box import seal

VERSION = 1
SEALED = "sealed:"
CHANNEL_FIELDS = (
    "rate_per_minute",
    "burst",
    "max_attempts",
    "retry_schedule_s",
    "language",
    "alerts",
)
TEMPLATE_FIELDS = ("event", "channel", "language", "subject", "body", "markdown")


class Secrets(StrEnum):
    """What stands for a secret in the file."""

    MASKED = "masked"  # ***; kept on import where the channel exists
    SEALED = "sealed"  # opened by an installation with the same SECRET_KEY only
    PLAIN = "plain"  # in the clear: whoever reads the file can use it


_HEADS = {
    Secrets.MASKED: "Secrets are left out (***): an import keeps those of a channel that is there.",
    Secrets.SEALED: "Secrets are sealed: only a VabHub with the same SECRET_KEY can open them.",
    Secrets.PLAIN: "SECRETS ARE IN THE CLEAR: whoever reads this file can use them. Keep it safe.",
}
_COVERS: dict[Secrets, Callable[[str], str]] = {
    Secrets.MASKED: lambda _text: MASK,
    Secrets.SEALED: lambda text: SEALED + seal(text),
    Secrets.PLAIN: lambda text: text,
}


@dataclass(frozen=True, slots=True)
class Export:
    """The file, and the channels that are not in it because they cannot be opened."""

    yaml: str
    left_out: tuple[str, ...]


def export(session: Session, secrets: Secrets = Secrets.MASKED) -> Export:
    """Return all channels but the inbox, and all templates."""
    channels, left_out = [], []
    for row in session.scalars(select(Channel).where(Channel.builtin.is_(False)).order_by(Channel.name)):
        try:
            channels.append(_channel(row, _COVERS[secrets]))
        except (SettingsError, NotFound):
            left_out.append(row.name)
    templates = [
        {name: row[name] for name in TEMPLATE_FIELDS if row[name] is not None}
        for row in list_templates(session)
    ]
    head = [f"VabHub, exported {isoformat(utcnow())}", _HEADS[secrets]]
    head += [f"Left out, since it cannot be opened: {name}" for name in left_out]
    content = {"version": VERSION, "channels": channels, "templates": templates}
    return Export("".join(f"# {line}\n" for line in head) + write_yaml(content), tuple(left_out))


def _channel(row: Channel, cover: Callable[[str], str]) -> dict[str, Any]:
    hidden = secret_names(registry.kind_of(row.kind).Settings)
    settings = {
        name: _covered(value, cover) if name in hidden else value
        for name, value in open_settings(row.sealed_settings).items()
    }
    fields = {name: getattr(row, name) for name in CHANNEL_FIELDS}
    given = {name: value for name, value in fields.items() if value not in (None, False)}
    return {"name": row.name, "kind": row.kind, "enabled": row.enabled, "settings": settings, **given}


def _covered(value: Any, cover: Callable[[str], str]) -> Any:
    if isinstance(value, Mapping):
        return {name: _covered(one, cover) for name, one in value.items()}
    return cover(value) if isinstance(value, str) and value else value
