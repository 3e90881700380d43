"""Services as a person sees them: made, changed and removed; secrets go in and never come out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from vabhub.channels import registry
from vabhub.channels.base import MASK
from vabhub.clock import isoformat
from vabhub.collectors.downloads import ClientConfig, from_settings
from vabhub.collectors.downloads.refresh import ask_soon
from vabhub.collectors.services.kinds import KINDS, checked, known_kind, masked, merged
from vabhub.db import after_commit, db_now
from vabhub.errors import Conflict, NotFound, SettingsError
from vabhub.models import DownloadSeen, Service
from vabhub.notify.sealed import open_settings, seal_settings
from vabhub.settings import Settings, without_password


def _free(name: str) -> str:
    if name == "kinds":  # GET /api/services/kinds stands beside the names
        raise ValueError("this name is reserved")
    return name


Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$"), AfterValidator(_free)]


class NewService(BaseModel):
    """The body of `POST /api/services`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Name
    kind: Annotated[str, Field(max_length=32)]
    enabled: bool = True
    settings: dict[str, Any] = Field(default_factory=dict)


class ServicePatch(BaseModel):
    """The body of `PATCH /api/services/{name}`: only what is named changes; a secret of `***` stays."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    enabled: bool | None = None
    settings: dict[str, Any] | None = None


def refuse_addresses(settings: Mapping[str, Any] | None) -> None:
    """Raise ValidationFailed for an address that is not called.

    It waits for DNS, so no transaction may be open.
    """
    registry.refuse_addresses(settings or {}, look_up_names=True)


def list_services(session: Session, settings: Settings) -> list[dict[str, Any]]:
    """Return all services by name, secrets masked; those of the environment can only be looked at."""
    ours = {config.name: _environment_view(config) for config in from_settings(settings)}
    rows = session.scalars(select(Service).order_by(Service.name))
    stored = [_view(row, shadowed=row.name in ours) for row in rows]
    return sorted([*ours.values(), *stored], key=lambda view: (view["name"], view["source"]))


def get_service(session: Session, settings: Settings, name: str) -> dict[str, Any]:
    """Return one service, secrets masked; raises NotFound."""
    for view in list_services(session, settings):
        if view["name"] == name:
            return view
    raise NotFound(f"There is no service {name!r}.")


def create_service(session: Session, settings: Settings, body: NewService) -> dict[str, Any]:
    """Store a service; raises Conflict for a name in use, ValidationFailed naming `settings.<field>`."""
    taken = session.scalar(select(Service.id).where(Service.name == body.name)) is not None
    if taken or body.name in {config.name for config in from_settings(settings)}:
        raise Conflict(f"There is a service {body.name!r} already.")
    kind = known_kind(body.kind)
    sealed = seal_settings(checked(kind, merged(kind, {}, body.settings)))
    now = db_now(session)
    fields = {"name": body.name, "kind": body.kind, "enabled": body.enabled}
    row = Service(**fields, sealed_settings=sealed, created_at=now, updated_at=now)
    session.add(row)
    session.flush()
    after_commit(session, ask_soon)
    return _view(row)


def update_service(session: Session, settings: Settings, name: str, patch: ServicePatch) -> dict[str, Any]:
    """Change a service; raises NotFound, ValidationFailed, Conflict for one of the environment."""
    row = _row(session, settings, name)
    if patch.settings is not None:
        kind = known_kind(row.kind)
        row.sealed_settings = seal_settings(checked(kind, merged(kind, stored_settings(row), patch.settings)))
    if patch.enabled is not None:
        row.enabled = patch.enabled
    row.updated_at = db_now(session)
    session.flush()
    after_commit(session, ask_soon)
    return _view(row)


def delete_service(session: Session, settings: Settings, name: str) -> None:
    """Remove a service and what was seen of it; raises NotFound, Conflict for one of the environment."""
    session.delete(_row(session, settings, name))
    session.execute(delete(DownloadSeen).where(DownloadSeen.instance == name))
    after_commit(session, ask_soon)


def stored_settings(row: Service) -> dict[str, Any]:
    """Return the stored settings; none where their key is gone, so that they can be entered again."""
    try:
        return open_settings(row.sealed_settings)
    except SettingsError:
        return {}


def find_stored(session: Session, name: str) -> Service | None:
    """Return the row of a service that was set up on the page."""
    return session.scalar(select(Service).where(Service.name == name))


def _row(session: Session, settings: Settings, name: str) -> Service:
    row = find_stored(session, name)
    if row is not None:
        return row
    if name in {config.name for config in from_settings(settings)}:
        raise Conflict(f"The service {name!r} is set in the environment: change it there, and restart.")
    raise NotFound(f"There is no service {name!r}.")


def _view(row: Service, *, shadowed: bool = False) -> dict[str, Any]:
    stored = stored_settings(row)
    return {
        "name": row.name,
        "kind": row.kind,
        "enabled": row.enabled,
        "source": "page",
        "readable": bool(stored),
        "shadowed": shadowed,
        "settings": masked(KINDS[row.kind], stored) if row.kind in KINDS else {},
        "updated_at": isoformat(row.updated_at),
    }


def _environment_view(config: ClientConfig) -> dict[str, Any]:
    secret = KINDS[config.kind].opened_by
    shown = {"url": without_password(config.url), "username": config.username or None}
    shown |= {secret: MASK} if config.secret else {}
    return {
        "name": config.name,
        "kind": config.kind.value,
        "enabled": True,
        "source": "environment",
        "readable": True,
        "shadowed": False,
        "settings": {name: value for name, value in shown.items() if value is not None},
        "updated_at": None,
    }
