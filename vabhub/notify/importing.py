"""Takes the YAML file of channels and templates in: checked as a whole, and written as a whole."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NoReturn, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from vabhub.channels.base import MASK, secret_names
from vabhub.channels.moved import refuse_moved
from vabhub.db import transaction
from vabhub.errors import FieldError, SettingsError, VabHubError, ValidationFailed
from vabhub.models import Channel, MessageTemplate
from vabhub.notify import channels_admin, templates_admin
from vabhub.notify.channels_admin import ChannelPatch, NewChannel, stored_settings
from vabhub.notify.exporting import CHANNEL_FIELDS, SEALED, TEMPLATE_FIELDS
from vabhub.notify.templates_admin import NewTemplate, template_view
from vabhub.notify.yaml_text import read_yaml
from vabhub.secret_box import unseal

MOST = 500
T = TypeVar("T", NewChannel, NewTemplate)


class _Bundle(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1]
    channels: list[NewChannel] = Field(default_factory=list, max_length=MOST)
    templates: list[NewTemplate] = Field(default_factory=list, max_length=MOST)


@dataclass(frozen=True, slots=True)
class Change:
    """What the import does with one part. `action`: create, update, same; `fields`: what changes."""

    what: Literal["channel", "template"]
    name: str
    action: Literal["create", "update", "same"]
    fields: tuple[str, ...] = ()


@dataclass(slots=True)
class _DryRun(Exception):
    changes: list[Change] = field(default_factory=list)


def import_yaml(text: str, *, dry_run: bool = False) -> list[Change]:
    """Create and change what the file names; what it does not name stays as it is.

    Raises ValidationFailed naming every wrong field (`channels.0.settings.url`); then nothing is written.
    A dry run writes nothing either and returns the same changes. Opens its own transaction.
    """
    bundle = _read(text)
    _collect("channels", bundle.channels, lambda body: channels_admin.refuse_addresses(body.settings))
    try:
        with transaction() as session:
            changes = _apply(session, bundle)
            if dry_run:
                _keep_nothing(changes)
    except _DryRun as done:
        return done.changes
    return changes


def _keep_nothing(changes: list[Change]) -> NoReturn:
    raise _DryRun(changes)


def _read(text: str) -> _Bundle:
    content = read_yaml(text)
    if not isinstance(content, dict):
        said = "the file has to hold `version`, `channels` and `templates`"
        raise ValidationFailed([FieldError("yaml", said, "yaml_invalid")])
    try:
        bundle = _Bundle.model_validate(content)
    except ValidationError as error:
        raise ValidationFailed(
            [
                FieldError(".".join(map(str, found["loc"])), _message(found["msg"]), str(found["type"]))
                for found in error.errors(include_url=False, include_input=False)
            ]
        ) from error
    _refuse_twice(bundle)
    opened = _collect("channels", bundle.channels, _opened)
    return bundle.model_copy(update={"channels": opened})


def _refuse_twice(bundle: _Bundle) -> None:
    keys: dict[str, list[tuple[str | None, ...]]] = {
        "channels": [(one.name,) for one in bundle.channels],
        "templates": [(one.event, one.channel, one.language) for one in bundle.templates],
    }
    faults = [
        FieldError(f"{part}.{number}", "It is in the file twice.", "repeated")
        for part, found in keys.items()
        for number, key in enumerate(found)
        if key in found[:number]
    ]
    if faults:
        raise ValidationFailed(faults, "The file has faults; nothing was changed.")


def _message(text: str) -> str:
    return text.removeprefix("Value error, ")


def _opened(body: NewChannel) -> NewChannel:
    """Return the channel with its sealed secrets opened."""
    settings = {name: _open(f"settings.{name}", value) for name, value in body.settings.items()}
    return body.model_copy(update={"settings": settings})


def _open(path: str, value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _open(f"{path}.{name}", one) for name, one in value.items()}
    if not isinstance(value, str) or not value.startswith(SEALED):
        return value
    try:
        return unseal(value.removeprefix(SEALED))
    except (SettingsError, ValueError) as error:
        text = "This secret was sealed with another SECRET_KEY: write it here in the clear."
        raise ValidationFailed([FieldError(path, text, "sealed_elsewhere")]) from error


def _apply(session: Session, bundle: _Bundle) -> list[Change]:
    faults: list[FieldError] = []
    channels = _collect("channels", bundle.channels, lambda body: _put_channel(session, body), faults)
    templates = _collect("templates", bundle.templates, lambda body: _put_template(session, body), faults)
    if faults:
        raise ValidationFailed(faults, "The file has faults; nothing was changed.")
    return [*channels, *templates]


def _collect(
    part: str, items: Iterable[T], act: Callable[[T], Any], faults: list[FieldError] | None = None
) -> list[Any]:
    """Act on each item; faults get the item's place in the file and are added to `faults`, or raised."""
    found: list[FieldError] = [] if faults is None else faults
    results = []
    for number, item in enumerate(items):
        try:
            results.append(act(item))
        except ValidationFailed as error:
            found += [FieldError(f"{part}.{number}.{e.field}", e.message, e.code) for e in error.errors]
        except VabHubError as error:
            found.append(FieldError(f"{part}.{number}", error.message, "conflict"))
    if faults is None and found:
        raise ValidationFailed(found, "The file has faults; nothing was changed.")
    return results


def _put_channel(session: Session, body: NewChannel) -> Change:
    row = session.scalar(select(Channel).where(Channel.name == body.name))
    if row is None:
        channels_admin.create_channel(session, body)
        return Change("channel", body.name, "create")
    if row.kind != body.kind:
        said = f"The channel {body.name!r} is there with the kind {row.kind!r}."
        raise ValidationFailed([FieldError("kind", said, "conflict")])
    stored = stored_settings(row)
    settings = _kept(body.settings, stored)
    # A file comes from anywhere: it may not have a secret of ours sent to a server that it names.
    refuse_moved(stored, settings, secret_names(channels_admin.known_kind(body.kind).Settings))
    fields = {name: getattr(body, name) for name in ("enabled", *CHANNEL_FIELDS)}
    changed = {name: value for name, value in fields.items() if getattr(row, name) != value}
    if settings != stored:
        gone = {name: None for name in stored if name not in body.settings}
        changed["settings"] = {**body.settings, **gone}
    if not changed:
        return Change("channel", body.name, "same")
    channels_admin.update_channel(session, body.name, ChannelPatch.model_validate(changed))
    return Change("channel", body.name, "update", _names(changed, settings, stored))


def _kept(given: Mapping[str, Any], stored: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings as they will be: `***` is what is stored."""
    kept: dict[str, Any] = {}
    for name, value in given.items():
        before = stored.get(name)
        if isinstance(value, Mapping):
            kept[name] = _kept(value, before if isinstance(before, Mapping) else {})
        else:
            kept[name] = before if value == MASK else value
    return {name: value for name, value in kept.items() if value is not None}


def _names(changed: Mapping[str, Any], new: Mapping[str, Any], old: Mapping[str, Any]) -> tuple[str, ...]:
    inside = [
        f"settings.{name}" for name in sorted(new.keys() | old.keys()) if new.get(name) != old.get(name)
    ]
    return (*(name for name in changed if name != "settings"), *inside)


def _put_template(session: Session, body: NewTemplate) -> Change:
    name = " ".join(part for part in (body.event, body.channel, body.language) if part)
    row = session.scalar(
        select(MessageTemplate).where(
            MessageTemplate.event == body.event,
            MessageTemplate.channel == (body.channel or ""),
            MessageTemplate.language == (body.language or ""),
        )
    )
    if row is None:
        templates_admin.create_template(session, body)
        return Change("template", name, "create")
    before = template_view(row)
    changed = tuple(one for one in TEMPLATE_FIELDS if before[one] != getattr(body, one))
    if changed:
        templates_admin.replace_template(session, row.id, body)
    return Change("template", name, "update" if changed else "same", changed)
