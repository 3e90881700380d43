"""Services: the programs that numbers are read from. Secrets are written, never read back."""

from __future__ import annotations

from typing import Any, Literal

from flask import Blueprint

from vabhub.accounts import Scope
from vabhub.collectors import services
from vabhub.collectors.services import NewService, ServicePatch, ServiceTrial
from vabhub.db import reading, transaction
from vabhub.settings import get_settings
from web.endpoint import endpoint
from web.envelope import Answer
from web.schemas import Out

bp = Blueprint("services", __name__)


class ServiceOut(Out):
    """One service; its secrets read back as "***". `shadowed`: the environment has one of that name, too."""

    name: str
    kind: str
    enabled: bool
    source: Literal["page", "environment"]
    readable: bool
    shadowed: bool
    settings: dict[str, Any]


class TrialOut(Out):
    """How a try ended: the version and how long it took, or why not and what to do."""

    ok: bool
    version: str | None
    latency_ms: float
    error_code: str | None
    error: str | None


@endpoint(bp, "GET", "/services", scope=Scope.READ, summary="List the services", answer=list[ServiceOut])
def listing() -> Any:
    """Return every service."""
    with reading() as session:
        return services.list_services(session, get_settings())


@endpoint(
    bp,
    "GET",
    "/services/kinds",
    scope=Scope.READ,
    summary="What kinds there are, and the form of each kind's settings as JSON Schema",
)
def kinds() -> Any:
    """Return every kind with the JSON Schema of its settings."""
    return services.kinds()


@endpoint(
    bp,
    "POST",
    "/services",
    scope=Scope.ADMIN,
    summary="Add a service; it is read from the next moment on",
    body=NewService,
    answer=ServiceOut,
    status=201,
    errors=(409,),
)
def create(body: NewService) -> Any:
    """Add a service."""
    services.refuse_addresses(body.settings)
    with transaction() as session:
        return Answer(services.create_service(session, get_settings(), body), "The service was added.")


@endpoint(
    bp, "GET", "/services/<name>", scope=Scope.READ, summary="One service", answer=ServiceOut, errors=(404,)
)
def show(name: str) -> Any:
    """Return one service."""
    with reading() as session:
        return services.get_service(session, get_settings(), name)


@endpoint(
    bp,
    "PATCH",
    "/services/<name>",
    scope=Scope.ADMIN,
    summary='Change a service; a secret given as "***" stays as it is',
    body=ServicePatch,
    answer=ServiceOut,
    errors=(404, 409),
)
def change(name: str, body: ServicePatch) -> Any:
    """Change a service."""
    services.refuse_addresses(body.settings)
    with transaction() as session:
        return Answer(
            services.update_service(session, get_settings(), name, body), "The service was changed."
        )


@endpoint(bp, "DELETE", "/services/<name>", scope=Scope.ADMIN, summary="Remove a service", errors=(404, 409))
def delete(name: str) -> Any:
    """Remove a service."""
    with transaction() as session:
        services.delete_service(session, get_settings(), name)
    return Answer(None, "The service was removed.")


@endpoint(
    bp,
    "POST",
    "/services/<name>/test",
    scope=Scope.ADMIN,
    summary="Ask a service for real; settings that are not saved may be given",
    body=ServiceTrial,
    body_required=False,
    answer=TrialOut,
    errors=(404,),
)
def test(name: str, body: ServiceTrial) -> Any:
    """Try a service."""
    services.refuse_addresses(body.settings)
    with reading() as session:
        config = services.wanted(session, get_settings(), name, body)
    return services.try_service(config)
