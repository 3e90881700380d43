"""The programs that numbers are read from: set up on the page or by the environment, tried, and listed."""

from __future__ import annotations

from vabhub.collectors.services.configured import configured
from vabhub.collectors.services.kinds import kinds
from vabhub.collectors.services.store import (
    NewService,
    ServicePatch,
    create_service,
    delete_service,
    get_service,
    list_services,
    refuse_addresses,
    update_service,
)
from vabhub.collectors.services.trial import ServiceTrial, try_service, wanted

__all__ = [
    "NewService",
    "ServicePatch",
    "ServiceTrial",
    "configured",
    "create_service",
    "delete_service",
    "get_service",
    "kinds",
    "list_services",
    "refuse_addresses",
    "try_service",
    "update_service",
    "wanted",
]
