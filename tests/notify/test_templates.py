"""Templates: chosen by event, channel and language, refused when broken, and never the loss of a message."""

from __future__ import annotations

from typing import Any

import pytest

from tests.notify.conftest import Desk
from tests.support.sink import Answer, Sink
from vabhub.db import reading, transaction
from vabhub.errors import Conflict, NotFound, ValidationFailed
from vabhub.models import MessageTemplate
from vabhub.notify import templates_admin, trial
from vabhub.notify.channels_admin import ChannelPatch, update_channel
from vabhub.notify.default_words import LANGUAGES, default_texts
from vabhub.notify.events import EVENTS, VARIABLES
from vabhub.notify.history import get_notification
from vabhub.notify.lists import HistoryQuery, list_notifications
from vabhub.notify.send import deliver
from vabhub.notify.states import DeliveryState
from vabhub.notify.templates_admin import NewTemplate
from vabhub.notify.trial import Preview


def _write(event: str, body: str, **fields: Any) -> dict[str, Any]:
    with transaction() as session:
        return templates_admin.create_template(session, NewTemplate(event=event, body=body, **fields))


def _sent(desk: Desk, sink: Sink, *, channel: str = "hook", **fields: Any) -> dict[str, Any]:
    before = len(sink.requests)
    assert deliver(desk.delivery_id(desk.accept(channel, **fields))) is DeliveryState.DELIVERED
    return _content(sink, before)


def _content(sink: Sink, number: int = 0) -> dict[str, Any]:
    content: dict[str, Any] = sink.requests[number].json()["data"]
    return content


def _speak(channel: str, language: str | None) -> None:
    with transaction() as session:
        update_channel(session, channel, ChannelPatch(language=language))


def test_a_notification_without_a_template_goes_as_it_came(desk: Desk, hook: Sink) -> None:
    content = _sent(desk, hook, title="A {{ title }}", message="{% if %}")
    assert (content["title"], content["message"]) == ("A {{ title }}", "{% if %}")


def test_a_named_template_puts_it_into_words(desk: Desk, hook: Sink) -> None:
    _write("added", "{{ data.name }} in {{ data.quality }}", subject="New: {{ title }}")
    content = _sent(desk, hook, template="added", data={"name": "Dune", "quality": "2160p"})
    assert (content["title"], content["message"]) == ("New: Hello", "Dune in 2160p")


def test_the_one_that_fits_best_is_taken(desk: Desk, hook: Sink) -> None:
    desk.channel("other", hook.url)
    _write("added", "any")
    _write("added", "zh", language="zh")
    assert _sent(desk, hook, template="added")["message"] == "any"
    _speak("hook", "zh")
    assert _sent(desk, hook, template="added")["message"] == "zh"
    _write("added", "hook", channel="hook")
    assert _sent(desk, hook, template="added")["message"] == "hook"
    _write("added", "hook zh", channel="hook", language="zh")
    assert _sent(desk, hook, template="added")["message"] == "hook zh"
    assert _sent(desk, hook, template="added", channel="other")["message"] == "any"


def test_all_plain_notifications_may_have_words_too(desk: Desk, hook: Sink) -> None:
    _write("notification", "[{{ type }}] {{ message }}", channel="hook")
    assert _sent(desk, hook, type="warning")["message"] == "[warning] world"


def test_an_unknown_template_is_refused_and_nothing_stored(desk: Desk) -> None:
    with pytest.raises(ValidationFailed) as caught:
        desk.accept("system", template="nope")
    assert caught.value.errors[0].code == "unknown_template"


def test_a_template_that_fails_falls_back_and_says_so(desk: Desk, hook: Sink) -> None:
    made = _write("added", "ok\n{{ data.name }}")
    accepted = desk.accept("hook", template="added", data={"other": 1})
    assert deliver(desk.delivery_id(accepted)) is DeliveryState.DELIVERED
    assert _content(hook)["message"] == "world"
    with reading() as session:
        (attempt,) = get_notification(session, accepted.id)["deliveries"][0]["attempts"]
        stored = templates_admin.get_template(session, made["id"])
    said = "body, line 2: 'dict object' has no attribute 'name'"
    assert (attempt["outcome"], attempt["template_error"]) == ("ok", said)
    assert (stored["last_error"], stored["failed_at"] is not None) == (said, True)


def test_a_hub_event_falls_back_to_its_shipped_words(desk: Desk, hook: Sink) -> None:
    _write("channel_held", "{{ data.channel }} {{ 1 / data.reason|length }}")
    accepted = desk.accept("hook", template="channel_held", data={"channel": "phone", "reason": ""})
    deliver(desk.delivery_id(accepted))
    assert _content(hook)["title"] == "The channel phone is held"
    (attempt,) = desk.attempts(desk.delivery_id(accepted))
    assert attempt.template_error == "body, line 1: division by zero"


def test_an_empty_text_is_a_fault_too(desk: Desk, hook: Sink) -> None:
    _write("added", "{{ data.name|default('') }}")
    assert _sent(desk, hook, template="added")["message"] == "world"


def test_the_hubs_own_words_come_in_the_channels_language(desk: Desk, hook: Sink, sink: Sink) -> None:
    desk.channel("phone", "http://127.0.0.1:1/")
    with transaction() as session:
        update_channel(session, "hook", ChannelPatch(alerts=True, language="zh"))
        update_channel(session, "phone", ChannelPatch(alerts=True))
    hook.script.append(Answer(410, "gone"))
    desk.channel("broken", hook.url)
    assert deliver(desk.delivery_id(desk.accept("broken"))) is DeliveryState.DEAD
    with reading() as session:
        newest = list_notifications(session, HistoryQuery(page_size=1)).items[0]
    assert newest["title"] == "The channel broken was switched off"
    assert "gone" in newest["message"]
    assert newest["channels"] == ["system", "hook", "phone"], "not the broken one itself"
    deliver(newest["deliveries"][1]["id"])
    content = _content(hook, 1)
    assert content["title"] == "渠道 broken 已停用"
    assert content["message"].startswith("gone\n\n等待发送的消息会保留三天")


@pytest.mark.parametrize("event", sorted(EVENTS))
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_shipped_text_renders_on_its_example(desk: Desk, event: str, language: str) -> None:
    texts = default_texts(event, language)
    assert texts is not None
    assert list(trial.trial_faults(texts, event, language)) == []


@pytest.mark.parametrize(
    ("fields", "field", "said"),
    [
        ({"body": "{{ titel }}"}, "body", "line 1: 'titel' is undefined"),
        ({"body": "ok", "subject": "a\n{% if %}"}, "subject", "line 2: Expected an expression"),
        ({"body": "ok", "markdown": "{{ title|nope }}"}, "markdown", "line 1: No filter named 'nope'"),
        ({"body": "{{ data.nope }}", "event": "channel_held"}, "body", "has no attribute 'nope'"),
        ({"body": "ok", "channel": "nowhere"}, "channel", "no channel 'nowhere'"),
        ({"body": "ok", "channel": "system"}, "channel", "as they came"),
    ],
)
def test_a_broken_template_is_refused_with_line_and_reason(
    desk: Desk, fields: dict[str, Any], field: str, said: str
) -> None:
    with pytest.raises(ValidationFailed) as caught:
        _write(**{"event": "added", **fields})
    assert caught.value.errors[0].field == field
    assert said in caught.value.errors[0].message
    with reading() as session:
        assert templates_admin.list_templates(session) == []


def test_a_broken_change_leaves_the_old_one(desk: Desk) -> None:
    made = _write("added", "old")
    with transaction() as session, pytest.raises(ValidationFailed):
        templates_admin.replace_template(session, made["id"], NewTemplate(event="added", body="{{"))
    with reading() as session:
        assert templates_admin.get_template(session, made["id"])["body"] == "old"


def test_a_change_forgets_the_last_failure_and_works_at_once(desk: Desk, hook: Sink) -> None:
    made = _write("added", "{{ data.name }}")
    _sent(desk, hook, template="added")
    with transaction() as session:
        body = NewTemplate(event="added", body="{{ data.name|default('?') }}")
        assert templates_admin.replace_template(session, made["id"], body)["last_error"] is None
    assert _sent(desk, hook, template="added")["message"] == "?"


def test_there_is_one_template_an_event_channel_and_language(desk: Desk) -> None:
    first = _write("added", "a", language="en")
    other = _write("added", "b")
    with pytest.raises(Conflict):
        _write("added", "c", language="en")
    with transaction() as session, pytest.raises(Conflict):
        body = NewTemplate(event="added", language="en", body="c")
        templates_admin.replace_template(session, other["id"], body)
    with transaction() as session:
        templates_admin.delete_template(session, first["id"])
    with transaction() as session, pytest.raises(NotFound):
        templates_admin.delete_template(session, first["id"])


def test_what_waits_for_a_template_that_is_deleted_goes_as_it_came(desk: Desk, hook: Sink) -> None:
    made = _write("added", "words")
    accepted = desk.accept("hook", template="added")
    with transaction() as session:
        templates_admin.delete_template(session, made["id"])
    assert deliver(desk.delivery_id(accepted)) is DeliveryState.DELIVERED
    assert _content(hook)["message"] == "world"


def test_a_preview_shows_each_text_and_each_fault(desk: Desk) -> None:
    asked = Preview(event="channel_held", language="zh", subject="{{ data.channel }}", body="a\n{{ x }}")
    with reading() as session:
        shown = trial.preview(session, asked)
        assert session.query(MessageTemplate).count() == 0
    assert (shown["subject"], shown["body"], shown["markdown"]) == ("phone", None, None)
    assert shown["errors"] == [{"field": "body", "line": 2, "message": "line 2: 'x' is undefined"}]


def test_a_preview_takes_what_was_really_sent(desk: Desk) -> None:
    accepted = desk.accept("system", data={"name": "Dune"})
    with reading() as session:
        assert [row["id"] for row in trial.recent(session, "notification")] == [accepted.id]
        asked = Preview(body="{{ message }} {{ data.name }}", notification_id=accepted.id)
        assert trial.preview(session, asked)["body"] == "world Dune"
        with pytest.raises(NotFound):
            trial.preview(session, Preview(body="x", notification_id=accepted.id + 1))


def test_every_variable_is_listed_with_an_example(desk: Desk) -> None:
    _write("added", "words")
    with reading() as session:
        listed = {row["event"]: row for row in trial.list_events(session)}
    assert set(listed) == {*EVENTS, "added"}
    assert tuple(listed["channel_disabled"]["variables"]) == VARIABLES
    assert listed["channel_disabled"]["variables"]["data"]["channel"] == "phone"
    assert listed["channel_disabled"]["defaults"]["zh"]["subject"]
    assert listed["added"]["defaults"] == {"zh": None, "en": None}
