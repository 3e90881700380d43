"""Try a service for real: does it answer, which version is it, how long does it take, or why not."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from vabhub.collectors.downloads import ClientConfig, collector_of, credentials, from_settings
from vabhub.collectors.downloads.refresh import ask_soon
from vabhub.collectors.services.kinds import ServiceKind, checked, config_of, known_kind, merged
from vabhub.collectors.services.store import find_stored, stored_settings
from vabhub.errors import NotFound
from vabhub.settings import Settings


class ServiceTrial(BaseModel):
    """The body of `POST /api/services/{name}/test`: settings that are not saved, or none."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Annotated[str, Field(max_length=32)] | None = None
    settings: dict[str, Any] | None = None


def wanted(session: Session, settings: Settings, name: str, trial: ServiceTrial) -> ClientConfig:
    """Return what is to be tried; raises NotFound, ValidationFailed."""
    row = find_stored(session, name)
    if trial.settings is not None and (trial.kind or row):
        kind = known_kind(trial.kind or (row.kind if row else ""))
        return _config(kind, name, merged(kind, stored_settings(row) if row else {}, trial.settings))
    if row is not None:
        return _config(known_kind(row.kind), name, stored_settings(row))
    for config in from_settings(settings):
        if config.name == name:
            return config
    raise NotFound(f"There is no service {name!r}.")


def try_service(config: ClientConfig) -> dict[str, Any]:
    """Ask it once, as the dashboard would. No transaction may be open: it can take ten seconds.

    `error_code` is DNS, REFUSED, TLS, CREDENTIALS, BANNED, WRONG_PATH, VERSION, TIMEOUT or another of
    FaultCode; `error` says what to do. A password that works again after it was refused is used from now on.
    """
    # Under a name of its own: a person asks for this try, whatever was refused before.
    own = f"trial-{secrets.token_hex(8)}"
    collector = collector_of(replace(config, name=own))
    started = time.perf_counter()
    try:
        reading = collector.read()
    finally:
        collector.close()
        credentials.forget_refused(own)
    took_ms = round((time.perf_counter() - started) * 1000, 1)
    if reading.fault is None:
        credentials.forget_refused(config.name)
        ask_soon(wake=True)
    return {
        "ok": reading.fault is None,
        "version": reading.transfer.version,
        "latency_ms": took_ms,
        "error_code": None if reading.fault is None else reading.fault.code.value,
        "error": None if reading.fault is None else reading.fault.text,
    }


def _config(kind: ServiceKind, name: str, settings: Mapping[str, Any]) -> ClientConfig:
    return config_of(kind, name, checked(kind, settings))
