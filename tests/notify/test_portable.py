"""Export and import: one YAML file, checked whole, written whole, and nobody's secrets given away."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from tests.notify.conftest import SECRET, Desk
from tests.support.sink import Sink
from vabhub.db import reading, transaction
from vabhub.errors import ValidationFailed
from vabhub.models import Channel, MessageTemplate
from vabhub.notify import channels_admin, templates_admin
from vabhub.notify.exporting import Secrets, export
from vabhub.notify.importing import Change, import_yaml
from vabhub.notify.sealed import open_settings
from vabhub.notify.templates_admin import NewTemplate
from vabhub.settings import Settings, get_settings, use_settings

HEADER = "Bearer top-secret"


@pytest.fixture
def furnished(desk: Desk, sink: Sink) -> Desk:
    """Two channels, one with secrets and limits, and a template of several lines."""
    headers = {"Authorization": HEADER}
    desk.channel(
        "chat", sink.url, settings={"headers": headers}, rate_per_minute=20, retry_schedule_s=[5, 60]
    )
    desk.channel("spare", sink.url, enabled=False)
    body = NewTemplate(event="added", channel="chat", language="zh", body="第一行\n{{ title }}", subject="on")
    with transaction() as session:
        templates_admin.create_template(session, body)
    return desk


def _export(secrets: Secrets = Secrets.MASKED) -> str:
    with reading() as session:
        return export(session, secrets).yaml


def _clear() -> None:
    with transaction() as session:
        session.query(Channel).filter_by(builtin=False).delete()
        session.query(MessageTemplate).delete()


def _stored(name: str) -> dict[str, Any]:
    with reading() as session:
        return open_settings(session.query(Channel.sealed_settings).filter_by(name=name).scalar())


def _faults(text: str) -> dict[str, str]:
    with pytest.raises(ValidationFailed) as caught:
        import_yaml(text)
    return {fault.field: fault.message for fault in caught.value.errors}


def test_secrets_stay_out_unless_asked_for(furnished: Desk) -> None:
    masked, sealed, plain = (_export(secrets) for secrets in Secrets)
    for text in (masked, sealed):
        assert SECRET not in text
        assert "top-secret" not in text
    assert yaml.safe_load(masked)["channels"][0]["settings"]["headers"] == {"Authorization": "***"}
    assert yaml.safe_load(plain)["channels"][0]["settings"]["headers"] == {"Authorization": HEADER}
    assert "SECRETS ARE IN THE CLEAR" in plain
    assert "第一行\n" in masked, "a person can read it"


@pytest.mark.parametrize("secrets", [Secrets.SEALED, Secrets.PLAIN])
def test_what_is_exported_comes_back_whole(furnished: Desk, secrets: Secrets) -> None:
    with reading() as session:
        before = channels_admin.list_channels(session)
    text, settings = _export(secrets), _stored("chat")
    _clear()
    assert {(change.what, change.action) for change in import_yaml(text)} == {
        ("channel", "create"),
        ("template", "create"),
    }
    assert _stored("chat") == settings
    with reading() as session:
        after = channels_admin.list_channels(session)
        (template,) = templates_admin.list_templates(session)
    for one in (*before, *after):
        del one["created_at"], one["updated_at"]
    assert after == before
    assert (template["body"], template["subject"]) == ("第一行\n{{ title }}", "on")
    assert {change.action for change in import_yaml(text)} == {"same"}


def test_a_file_cannot_have_a_secret_sent_to_another_server(furnished: Desk) -> None:
    before = _stored("chat")
    host = urlsplit(before["url"]).netloc
    assert (
        "enter this secret again"
        in _faults(_export().replace(host, "elsewhere.example"))["channels.0.settings.headers"]
    )
    assert _stored("chat") == before


def test_a_masked_secret_is_kept_where_the_channel_is(furnished: Desk) -> None:
    text = _export().replace("rate_per_minute: 20.0", "rate_per_minute: 30").replace("- 60", "- 90")
    assert import_yaml(text)[0] == Change(
        "channel", "chat", "update", ("rate_per_minute", "retry_schedule_s")
    )
    assert _stored("chat")["headers"] == {"Authorization": HEADER}
    _clear()
    assert set(_faults(text)) == {
        "channels.0.settings.headers.Authorization",
        "channels.1.settings.secret",
        "templates.0.channel",
    }
    with reading() as session:
        assert [row["name"] for row in channels_admin.list_channels(session)] == ["system"]


def test_a_dry_run_says_the_same_and_changes_nothing(furnished: Desk, sink: Sink) -> None:
    content = yaml.safe_load(_export())
    content["channels"][0]["settings"]["url"] = sink.url + "/new"
    del content["channels"][0]["settings"]["secret"]
    content["templates"][0]["body"] = "new"
    text = yaml.safe_dump(content)
    expected = [
        Change("channel", "chat", "update", ("settings.secret", "settings.url")),
        Change("channel", "spare", "same"),
        Change("template", "added chat zh", "update", ("body",)),
    ]
    before = _export(Secrets.PLAIN).split("\n", 1)[1]
    assert import_yaml(text, dry_run=True) == expected
    assert _export(Secrets.PLAIN).split("\n", 1)[1] == before
    assert import_yaml(text) == expected
    assert "secret" not in _stored("chat")


def test_one_fault_keeps_all_of_it_out(furnished: Desk, sink: Sink) -> None:
    text = f"""
version: 1
channels:
  - {{name: new, kind: webhook, settings: {{url: "{sink.url}"}}}}
  - {{name: chat, kind: telegram, settings: {{}}}}
  - {{name: bad, kind: webhook, settings: {{url: "ftp://x.invalid", surprise: 1}}}}
templates:
  - {{event: added, body: "{{{{ titel }}}}"}}
  - {{event: added, body: ok, channel: nowhere}}
"""
    assert set(_faults(text)) == {
        "channels.1.kind",
        "channels.2.settings.url",
        "channels.2.settings.surprise",
        "templates.0.body",
        "templates.1.channel",
    }
    with reading() as session:
        assert session.query(Channel).filter_by(name="new").count() == 0


BOMB = "a: &a [x, x]\n" + "\n".join(
    f"{b}: &{b} [*{a}, *{a}]" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (BOMB, "line 2: an alias (*a) is not taken here"),
        ("[" * 100_000, "line 1: exceeded maximum nesting depth"),
        ("- " * 5_000 + "x", "line 1: nested more than 20 deep"),
        ("[" + "1," * 60_000 + "]", "more than 50,000 parts"),
        ("x" * 600_000, "larger than 512 KB"),
        ("version: 1\nversion: 1", "line 2: 'version' is given twice"),
        ("!!python/object/apply:os.system ['true']", "line 1: could not determine a constructor"),
        ("a: .nan", "it cannot be read"),
        ('a: "\\ud800"', "line 1: found invalid Unicode"),
        ("a: \x00", "it cannot be read"),
        ("a: [", "line 2: "),
        ("--- 1\n--- 2", "line 2: "),
        ("just a text", "the file has to hold"),
        ("", "the file has to hold"),
    ],
    ids=lambda part: part[:20],
)
def test_what_is_no_such_file_is_refused_at_once(text: str, said: str) -> None:
    assert said in _faults(text)["yaml"]


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("version: 2", "version"),
        ("channels: []", "version"),
        ("version: 1\nsurprise: 1", "surprise"),
        ("version: 1\nchannels: [{name: kinds, kind: webhook}]", "channels.0.name"),
        ("version: 1\nchannels: [{name: a, kind: pigeon}]", "channels.0.kind"),
        ("version: 1\nchannels: [{name: a, kind: system}]", "channels.0.kind"),
        ("version: 1\nchannels: [{name: a, kind: webhook, settings: 3}]", "channels.0.settings"),
        ("version: 1\ntemplates: [{event: a, body: b}, {event: a, body: c}]", "templates.1"),
        (
            "version: 1\nchannels: [{name: a, kind: webhook, settings: {secret: 'sealed:x'}}]",
            "channels.0.settings.secret",
        ),
    ],
)
def test_a_wrong_field_is_named_with_its_place(desk: Desk, text: str, field: str) -> None:
    assert field in _faults(text)


def test_a_date_stays_the_text_it_is(desk: Desk) -> None:
    import_yaml("version: 1\ntemplates: [{event: a, body: 2026-11-24}]")
    with reading() as session:
        assert templates_admin.list_templates(session)[0]["body"] == "2026-11-24"


def test_what_cannot_be_opened_is_left_out_and_said(furnished: Desk) -> None:
    with transaction() as session:
        session.query(Channel).filter_by(name="chat").update({"sealed_settings": "gAAAAABnothing"})
    with reading() as session:
        made = export(session, Secrets.PLAIN)
    assert made.left_out == ("chat",)
    assert "Left out, since it cannot be opened: chat" in made.yaml
    assert [row["name"] for row in yaml.safe_load(made.yaml)["channels"]] == ["spare"]


def test_sealed_secrets_need_the_same_key(furnished: Desk, database: Settings) -> None:
    text = _export(Secrets.SEALED)
    _clear()
    use_settings(get_settings().model_copy(update={"secret_key": "another key of sixteen and more"}))
    assert "sealed with another SECRET_KEY" in _faults(text)["channels.1.settings.secret"]
    use_settings(database)
    assert import_yaml(text)[0].action == "create"
