"""Deliveries: what is on its way or failed, and trying again."""

from __future__ import annotations

from typing import Any

from flask import Blueprint
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from vabhub.accounts import Scope
from vabhub.db import reading, transaction
from vabhub.notify import backlog, deliveries
from vabhub.notify.lists import DeliveryQuery, list_deliveries
from web.endpoint import endpoint
from web.schemas import Backlog, Count, Paged

bp = Blueprint("deliveries", __name__)


class BacklogQuery(BaseModel):
    """Which deliveries to count."""

    model_config = ConfigDict(extra="forbid")
    channel: str | None = Field(None, min_length=1, max_length=64)


class RetryFilter(BaseModel):
    """Which dead deliveries to try again; all of them when no channel is named.

    `died_by`, the `as_of` of a count, leaves out what has died since.
    """

    model_config = ConfigDict(extra="forbid")
    channel: str | None = Field(None, min_length=1, max_length=64)
    died_by: AwareDatetime | None = None
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
    "GET",
    "/deliveries/counts",
    scope=Scope.READ,
    summary="How many wait, are being sent, are retried or are dead, by channel",
    query=BacklogQuery,
    answer=Backlog,
)
def counts(query: BacklogQuery) -> dict[str, Any]:
    """Return the open deliveries' numbers."""
    with reading() as session:
        return backlog.count_open(session, query.channel)


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
    "/deliveries/<id:delivery_id>/cancel",
    scope=Scope.CONTROL,
    summary="Cancel a delivery",
    errors=(404, 409),
)
def cancel(delivery_id: int) -> Any:
    """Cancel one delivery, or ask not to retry it when it is being sent."""
    with transaction() as session:
        return deliveries.cancel_delivery(session, delivery_id)


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
        count = deliveries.retry_many(session, channel=body.channel, died_by=body.died_by, limit=body.limit)
        return {"count": count}
