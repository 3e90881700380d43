"""Channels: where notifications go. Secrets are written, never read back."""

from __future__ import annotations

from typing import Any

from flask import Blueprint

from vabhub.accounts import Scope
from vabhub.db import reading, transaction
from vabhub.notify import channel_trial, channels_admin
from vabhub.notify.channel_trial import ChannelTrial
from vabhub.notify.channels_admin import ChannelPatch, NewChannel
from web.endpoint import endpoint
from web.envelope import Answer
from web.schemas import ChannelOut

bp = Blueprint("channels", __name__)


@endpoint(bp, "GET", "/channels", scope=Scope.READ, summary="List the channels", answer=list[ChannelOut])
def listing() -> Any:
    """Return every channel."""
    with reading() as session:
        return channels_admin.list_channels(session)


@endpoint(
    bp,
    "GET",
    "/channels/kinds",
    scope=Scope.READ,
    summary="What kinds there are, and the form of each kind's settings as JSON Schema",
)
def kinds() -> Any:
    """Return every kind with the JSON Schema of its settings."""
    return channels_admin.kinds()


@endpoint(
    bp,
    "POST",
    "/channels",
    scope=Scope.ADMIN,
    summary="Create a channel",
    body=NewChannel,
    answer=ChannelOut,
    status=201,
    errors=(409,),
)
def create(body: NewChannel) -> Any:
    """Create a channel."""
    channels_admin.refuse_addresses(body.settings)
    with transaction() as session:
        return Answer(channels_admin.create_channel(session, body), "The channel was created.")


@endpoint(
    bp,
    "GET",
    "/channels/<name>",
    scope=Scope.READ,
    summary="One channel",
    answer=ChannelOut,
    errors=(404,),
)
def show(name: str) -> Any:
    """Return one channel."""
    with reading() as session:
        return channels_admin.get_channel(session, name)


@endpoint(
    bp,
    "PATCH",
    "/channels/<name>",
    scope=Scope.ADMIN,
    summary='Change a channel; a secret given as "***" stays as it is',
    body=ChannelPatch,
    answer=ChannelOut,
    errors=(404, 409),
)
def change(name: str, body: ChannelPatch) -> Any:
    """Change a channel."""
    channels_admin.refuse_addresses(body.settings)
    with transaction() as session:
        return Answer(channels_admin.update_channel(session, name, body), "The channel was changed.")


@endpoint(bp, "DELETE", "/channels/<name>", scope=Scope.ADMIN, summary="Delete a channel", errors=(404, 409))
def delete(name: str) -> Any:
    """Delete a channel."""
    with transaction() as session:
        channels_admin.delete_channel(session, name)
    return Answer(None, "The channel was deleted.")


@endpoint(
    bp,
    "POST",
    "/channels/<name>/test",
    scope=Scope.ADMIN,
    summary="Send a test message the real way; unsaved settings may be given",
    description="A saved channel that was held or refused and takes it is mended: `healed` is true.",
    body=ChannelTrial,
    body_required=False,
    errors=(404, 409),
)
def test(name: str, body: ChannelTrial) -> Any:
    """Send a test message through a channel."""
    return channel_trial.test_channel(name, body)
