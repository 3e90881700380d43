"""Deliveries: what is on its way or failed, and trying again."""

from __future__ import annotations

from typing import Any

from flask import Blueprint
from pydantic import BaseModel, ConfigDict, Field

from vabhub.accounts import Scope
from vabhub.db import reading, transaction
from vabhub.notify import deliveries
from vabhub.notify.history import DeliveryQuery, list_deliveries
from web.endpoint import endpoint
from web.schemas import Count, Paged

bp = Blueprint("deliveries", __name__)


class RetryFilter(BaseModel):
    """Which dead deliveries to try again; all of them when no channel is named."""

    model_config = ConfigDict(extra="forbid")
    channel: str | None = Field(None, min_length=1, max_length=64)
    limit: int = Field(500, ge=1, le=500)


@endpoint(
    bp, "GET", "/deliveries", scope=Scope.READ, summary="List deliveries", query=DeliveryQuery, answer=Paged
)
def listing(query: DeliveryQuery) -> Any:
    """Return a page of deliveries."""
    with reading() as session:
        return list_deliveries(session, query).to_json()


@endpoint(
    bp,
    "POST",
    "/deliveries/<id:delivery_id>/retry",
    scope=Scope.CONTROL,
    summary="Try a delivery again now",
    errors=(404, 409),
)
def retry(delivery_id: int) -> Any:
    """Put one delivery back into the queue."""
    with transaction() as session:
        return deliveries.retry_delivery(session, delivery_id)


@endpoint(
    bp,
    "POST",
    "/deliveries/retry",
    scope=Scope.CONTROL,
    summary="Try again all dead deliveries that match",
    body=RetryFilter,
    body_required=False,
    answer=Count,
)
def retry_many(body: RetryFilter) -> dict[str, int]:
    """Put every matching dead delivery back into the queue."""
    with transaction() as session:
        return {"count": deliveries.retry_many(session, channel=body.channel, limit=body.limit)}
