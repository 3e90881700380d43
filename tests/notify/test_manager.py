"""The documented Python entrance."""

from __future__ import annotations

import asyncio
import threading

import pytest

from tests.notify.conftest import Desk
from vabhub.errors import ValidationFailed
from vabhub.notify import NotificationChannelManager
from vabhub.notify.send import deliver


def test_send_gives_a_receipt_that_can_be_waited_for(desk: Desk) -> None:
    receipt = NotificationChannelManager().send(title="t", message="m", channels=["system"], type="success")
    assert receipt.status() == "pending"
    assert receipt.wait(0.05) == "pending"
    threading.Timer(0.1, deliver, args=[receipt.deliveries[0]["id"]]).start()
    assert receipt.wait(10) == "sent"
    assert desk.notification(receipt.id).type == "success"


def test_the_documented_await_works_as_written(desk: Desk) -> None:
    async def program() -> int:
        manager = NotificationChannelManager()
        receipt = await manager.send(title="t", message="m", channels=["system"])
        return receipt.id

    assert desk.notification(asyncio.run(program())).title == "t"


def test_a_wrong_field_is_named(desk: Desk) -> None:
    with pytest.raises(ValidationFailed) as caught:
        NotificationChannelManager().send(title="", message="m")
    assert caught.value.errors[0].field == "title"
