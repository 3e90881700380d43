"""Browsers that want to be told: the key they ask for, subscribing and unsubscribing."""

from __future__ import annotations

from typing import Annotated, Any

from flask import Blueprint, request
from pydantic import AfterValidator, AnyHttpUrl, BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from vabhub.accounts import Scope
from vabhub.channels import subscriptions
from vabhub.db import reading, transaction
from vabhub.errors import Forbidden, NotFound
from vabhub.models import Channel
from vabhub.notify import channels_admin
from vabhub.notify.channels_admin import NewChannel
from web import auth
from web.endpoint import endpoint
from web.envelope import Answer

bp = Blueprint("push", __name__)

KIND = "push"
Base64Url = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{16,200}={0,2}$")]


class Keys(BaseModel):
    """What a push is written with."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    p256dh: Annotated[Base64Url, AfterValidator(subscriptions.checked_public_key)]
    auth: Annotated[Base64Url, AfterValidator(subscriptions.checked_auth)]


class NewSubscription(BaseModel):
    """A browser's own `PushSubscription`, as its `toJSON()` writes it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    endpoint: Annotated[AnyHttpUrl, Field(max_length=2048)]
    keys: Keys
    expiration_time: float | None = Field(None, alias="expirationTime")


class Endpoint(BaseModel):
    """Which browser."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    endpoint: Annotated[AnyHttpUrl, Field(max_length=2048)]


@endpoint(bp, "GET", "/push/key", scope=Scope.READ, summary="The key that a browser subscribes with")
def key() -> Any:
    """Return the public key."""
    return {"public_key": subscriptions.public_key()}


@endpoint(bp, "GET", "/push/subscriptions", scope=Scope.READ, summary="The browsers that are told")
def listing() -> Any:
    """Return every browser, without where it is reached."""
    with reading() as session:
        return subscriptions.listed(session)


@endpoint(
    bp,
    "POST",
    "/push/subscriptions",
    scope=Scope.CONTROL,
    summary="Tell this browser; the first one makes the channel `push`",
    body=NewSubscription,
    status=201,
)
def subscribe(body: NewSubscription) -> Any:
    """Store a browser: whoever names one reads every push, so it takes a person who is signed in."""
    if auth.current().session_id is None:
        raise Forbidden("Only a browser that is signed in can be told.")
    given = str(body.endpoint)
    channels_admin.refuse_addresses({"endpoint": given})
    agent = (request.user_agent.string or "")[:255] or None
    with transaction() as session:
        number = subscriptions.subscribe(
            session,
            endpoint=given,
            p256dh=body.keys.p256dh,
            auth=body.keys.auth,
            owner=auth.current().name,
            browser=agent,
        )
        return Answer({"id": number, "channel": _channel(session)}, "This browser is told from now on.")


@endpoint(
    bp,
    "DELETE",
    "/push/subscriptions",
    scope=Scope.CONTROL,
    summary="Tell this browser no longer",
    body=Endpoint,
    errors=(404,),
)
def unsubscribe(body: Endpoint) -> Any:
    """Forget a browser."""
    with transaction() as session:
        if not subscriptions.unsubscribe(session, str(body.endpoint)):
            raise NotFound("This browser is not subscribed.")
    return Answer(None, "This browser is told no longer.")


def _channel(session: Session) -> str:
    """Return the name of the channel that pushes, made when there is none."""
    name = session.scalar(select(Channel.name).where(Channel.kind == KIND).order_by(Channel.id))
    if name is not None:
        return name
    taken = session.scalar(select(Channel.id).where(Channel.name == KIND)) is not None
    made = NewChannel(name="browser-push" if taken else KIND, kind=KIND)
    return str(channels_admin.create_channel(session, made)["name"])
