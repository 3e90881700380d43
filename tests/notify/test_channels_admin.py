"""Channels as a person handles them, and what a channel's fault does to what waits."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.notify.conftest import SECRET, Desk
from tests.support.sink import Answer, Sink
from vabhub.db import reading, transaction
from vabhub.errors import Conflict, NotFound, ValidationFailed
from vabhub.models import Channel
from vabhub.notify import channel_trial, channels_admin
from vabhub.notify.channel_trial import ChannelTrial
from vabhub.notify.channels_admin import ChannelPatch, NewChannel
from vabhub.notify.lists import HistoryQuery, list_notifications
from vabhub.notify.send import deliver
from vabhub.notify.states import DeliveryState


def _show(name: str) -> dict[str, Any]:
    with reading() as session:
        return channels_admin.get_channel(session, name)


def _patch(name: str, **changes: Any) -> dict[str, Any]:
    with transaction() as session:
        return channels_admin.update_channel(session, name, ChannelPatch.model_validate(changes))


def _sealed(name: str) -> str:
    with reading() as session:
        return session.query(Channel.sealed_settings).filter_by(name=name).scalar() or ""


def test_secrets_are_sealed_in_the_database_and_read_back_as_stars(desk: Desk, sink: Sink) -> None:
    desk.channel("hook", sink.url, settings={"headers": {"Authorization": "Bearer top-secret"}})
    settings = _show("hook")["settings"]
    assert settings["secret"] == "***"
    assert settings["headers"] == {"Authorization": "***"}
    assert settings["url"] == sink.url
    assert SECRET not in _sealed("hook")
    assert "top-secret" not in _sealed("hook")


def test_a_secret_of_stars_keeps_the_old_one(desk: Desk, sink: Sink) -> None:
    desk.channel("hook", "http://127.0.0.1:1/", settings={"headers": {"X-Key": "abc", "X-Old": "x"}})
    _patch("hook", settings={"url": sink.url, "secret": "***", "headers": {"X-Key": "***", "X-New": "n"}})
    deliver(desk.delivery_id(desk.accept("hook")))
    (request,) = sink.requests
    assert request.headers["x-key"] == "abc"
    assert request.headers["x-new"] == "n"
    assert "x-old" not in request.headers
    assert "webhook-signature" in request.headers


def test_stars_without_a_stored_secret_are_refused(desk: Desk) -> None:
    with transaction() as session, pytest.raises(ValidationFailed) as caught:
        channels_admin.create_channel(
            session,
            NewChannel(name="hook", kind="webhook", settings={"url": "http://x.invalid/", "secret": "***"}),
        )
    assert caught.value.errors[0].field == "settings.secret"


@pytest.mark.parametrize(
    ("kind", "given", "field"),
    [
        ("carrier-pigeon", {}, "kind"),
        ("system", {}, "kind"),
        ("webhook", {}, "settings.url"),
        ("webhook", {"url": "ftp://x.invalid"}, "settings.url"),
        ("webhook", {"url": "http://x.invalid", "surprise": 1}, "settings.surprise"),
        ("webhook", {"url": "http://x.invalid", "headers": {"webhook-id": "1"}}, "settings.headers"),
        ("webhook", {"url": "http://x.invalid", "headers": {"X": "a\r\nB: c"}}, "settings.headers"),
        ("webhook", {"url": "http://x.invalid", "secret": "short"}, "settings.secret"),
        ("telegram", {"bot_token": "nope", "chat_id": "1"}, "settings.bot_token"),
        ("email", {"smtp_host": "h", "from_email": "a@example.com", "to_email": "b"}, "settings.to_email.0"),
    ],
)
def test_wrong_settings_are_named(desk: Desk, kind: str, given: dict[str, Any], field: str) -> None:
    with transaction() as session, pytest.raises(ValidationFailed) as caught:
        channels_admin.create_channel(session, NewChannel(name="x", kind=kind, settings=given))
    assert caught.value.errors[0].field == field
    with reading() as session:
        assert [row["name"] for row in channels_admin.list_channels(session)] == ["system"]


def test_a_name_is_used_once_and_an_unknown_one_is_not_found(desk: Desk, hook: Sink) -> None:
    with pytest.raises(Conflict):
        desk.channel("hook", "http://x.invalid/")
    with pytest.raises(NotFound):
        _show("nowhere")


def test_the_inbox_is_always_there(desk: Desk) -> None:
    with transaction() as session, pytest.raises(Conflict):
        channels_admin.delete_channel(session, "system")
    with pytest.raises(Conflict):
        _patch("system", enabled=False)


def test_kinds_describe_their_settings_and_mark_the_secret_ones() -> None:
    found = {kind["kind"]: kind for kind in channels_admin.kinds()}
    assert set(found) >= {"system", "webhook", "email", "telegram"}
    assert found["telegram"]["schema"]["properties"]["bot_token"]["secret"] is True
    assert "secret" not in found["telegram"]["schema"]["properties"]["chat_id"]


def test_what_waits_for_a_deleted_channel_is_dead_with_the_reason(desk: Desk, hook: Sink) -> None:
    accepted = desk.accept("hook")
    with transaction() as session:
        channels_admin.delete_channel(session, "hook")
    delivery_id = desk.delivery_id(accepted)
    assert deliver(delivery_id) is DeliveryState.DEAD
    assert desk.delivery(delivery_id).last_error == "the channel 'hook' was deleted"
    assert desk.notification(accepted.id).status == "failed"
    assert hook.requests == []


def test_a_permanent_error_switches_the_channel_off_and_says_so_in_the_inbox(desk: Desk, hook: Sink) -> None:
    hook.script.append(Answer(410, f"gone, says {SECRET}"))
    first, second = (desk.delivery_id(desk.accept("hook")) for _ in range(2))
    assert deliver(first) is DeliveryState.DEAD
    assert _show("hook")["disabled_reason"] == "gone, says ***"
    with reading() as session:
        newest = list_notifications(session, HistoryQuery(page_size=1)).items[0]
    assert newest["data"]["event"] == "channel_disabled"
    assert newest["channels"] == ["system"]
    assert SECRET not in newest["message"]

    assert deliver(second) is None, "what waits is kept"
    assert len(hook.requests) == 1
    _patch("hook", enabled=True)
    assert deliver(second) is DeliveryState.DELIVERED


def test_what_waits_for_a_channel_that_stays_off_is_dead_after_three_days(desk: Desk, hook: Sink) -> None:
    _patch("hook", enabled=False)
    delivery_id = desk.delivery_id(desk.accept("hook"))
    assert deliver(delivery_id) is None
    assert desk.delivery(delivery_id).last_error == "the channel is switched off"
    desk.age(delivery_id, created_at=timedelta(hours=73), next_attempt_at=timedelta(hours=1))
    assert deliver(delivery_id) is DeliveryState.DEAD
    assert _show("hook")["disabled_reason"] is None


def test_an_old_attempts_verdict_does_not_switch_off_mended_settings(desk: Desk, hook: Sink) -> None:
    def mend(_request: Any) -> Answer:
        _patch("hook", settings={"method": "PUT"})
        return Answer(401, "bad key")

    hook.respond = mend
    assert deliver(desk.delivery_id(desk.accept("hook"))) is DeliveryState.DEAD
    assert _show("hook")["disabled_reason"] is None


def test_a_trial_sends_the_real_way_and_stores_nothing(desk: Desk, hook: Sink) -> None:
    hook.script.append(Answer(500, f"broken {SECRET}"))
    failed = channel_trial.test_channel("hook")
    assert (failed["ok"], failed["outcome"], failed["text"]) == (False, "transient", "broken ***")
    trial = ChannelTrial(settings={"url": hook.url + "/new", "secret": "***"})
    assert channel_trial.test_channel("hook", trial)["ok"] is True
    assert hook.requests[1].path == "/new"
    assert "webhook-signature" in hook.requests[1].headers
    unsaved = ChannelTrial(kind="webhook", settings={"url": hook.url})
    assert channel_trial.test_channel("not-saved-yet", unsaved)["ok"] is True
    with pytest.raises(NotFound):
        channel_trial.test_channel("nowhere")
    assert _show("hook")["settings"]["url"].endswith("/in")


def test_settings_sealed_with_a_lost_key_are_said_so(desk: Desk, hook: Sink) -> None:
    with transaction() as session:
        session.query(Channel).filter_by(name="hook").update({"sealed_settings": "gAAAAABnothing"})
    delivery_id = desk.delivery_id(desk.accept("hook"))
    assert deliver(delivery_id) is DeliveryState.DEAD
    assert "SECRET_KEY" in (desk.delivery(delivery_id).last_error or "")


def test_a_test_that_works_mends_a_refused_channel_and_lets_go_what_waits(desk: Desk, hook: Sink) -> None:
    hook.script.append(Answer(401, "bad key"))
    first, second = (desk.delivery_id(desk.accept("hook")) for _ in range(2))
    assert deliver(first) is DeliveryState.DEAD
    assert (_show("hook")["state"], _show("hook")["state_reason"]) == ("refused", "bad key")
    unsaved = ChannelTrial(settings={"url": hook.url})
    assert channel_trial.test_channel("hook", unsaved)["healed"] is False
    assert _show("hook")["state"] == "refused", "only what is saved can be mended"
    assert channel_trial.test_channel("hook")["healed"] is True
    assert (_show("hook")["state"], _show("hook")["state_reason"]) == ("on", None)
    assert deliver(second) is DeliveryState.DELIVERED


def test_a_held_channel_says_why_and_until_when(desk: Desk, hook: Sink) -> None:
    hook.respond = lambda _request: Answer(502, "Bad Gateway")
    for _ in range(5):
        deliver(desk.delivery_id(desk.accept("hook")))
    shown = _show("hook")
    assert (shown["state"], shown["failures"]) == ("held", 5)
    assert "Bad Gateway" in shown["state_reason"]
    assert shown["state_until"]
    _patch("hook", enabled=True)
    assert (_show("hook")["state"], _show("hook")["last_error"]) == ("on", None)


def test_a_channel_that_cannot_be_opened_is_listed_and_can_be_entered_again(desk: Desk, hook: Sink) -> None:
    with transaction() as session:
        session.query(Channel).filter_by(name="hook").update({"sealed_settings": "gAAAAABnothing"})
    assert (_show("hook")["state"], _show("hook")["settings"]) == ("unreadable", {})
    assert "SECRET_KEY" in _show("hook")["state_reason"]
    with pytest.raises(ValidationFailed):
        _patch("hook", settings={"url": hook.url, "secret": "***"})
    assert _patch("hook", settings={"url": hook.url})["state"] == "on"


def test_a_kind_that_is_gone_does_not_hide_the_others(desk: Desk, hook: Sink) -> None:
    with transaction() as session:
        session.query(Channel).filter_by(name="hook").update({"kind": "carrier-pigeon"})
    with reading() as session:
        states = {row["name"]: row["state"] for row in channels_admin.list_channels(session)}
    assert states == {"hook": "unreadable", "system": "on"}
