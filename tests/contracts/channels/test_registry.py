"""Channels are found by their files, and nobody names a provider."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from vabhub import channels
from vabhub.channels.base import secret_names
from vabhub.channels.registry import kind_of, kinds, make
from vabhub.errors import NotFound, ValidationFailed

PACKAGE = Path(channels.__file__).parent


def test_every_kind_is_a_file_of_its_own_name() -> None:
    assert set(kinds()) >= {"system", "webhook", "email", "telegram"}
    for kind, channel in kinds().items():
        assert channel.__module__ == f"vabhub.channels.{kind}"
        assert channel.kind == kind


def test_no_other_file_of_the_package_or_of_notify_names_a_provider() -> None:
    providers = [kind for kind in kinds() if kind != "system"]
    files = [*PACKAGE.glob("*.py"), *(PACKAGE.parent / "notify").rglob("*.py")]
    for file in files:
        if file.stem in providers or file.name == "text.py":
            continue
        code = re.sub(r'"""[\s\S]*?"""|#.*', "", file.read_text())
        named = [kind for kind in providers if re.search(rf'["\']{kind}["\']|channels\.{kind}', code)]
        assert not named, f"{file.name} names {named}"


def test_channels_do_not_know_one_another() -> None:
    for kind in kinds():
        code = (PACKAGE / f"{kind}.py").read_text()
        others = [other for other in kinds() if other != kind and f"channels.{other}" in code]
        assert not others, f"{kind} imports {others}"


def test_secrets_are_marked() -> None:
    marked = {kind: secret_names(channel.Settings) for kind, channel in kinds().items()}
    assert marked["telegram"] == {"bot_token"}
    assert marked["webhook"] == {"secret", "headers"}
    assert marked["email"] == {"smtp_password"}
    for kind in ("wechat", "dingtalk", "feishu", "discord", "slack"):
        assert "webhook_url" in marked[kind], "such an address holds the key"


@pytest.mark.parametrize("kind", kinds())
def test_a_form_says_what_it_asks_for_in_both_languages(kind: str) -> None:
    channel = kinds()[kind]
    assert channel.label.en and channel.label.zh and channel.about.en and channel.about.zh
    for name, field in channel.Settings.model_json_schema().get("properties", {}).items():
        assert field["title"], name
        assert re.search(r"[\u4e00-\u9fff]|^[A-Z]|_token$", field["title_zh"]), name
        assert ("description" in field) == ("description_zh" in field), name


@pytest.mark.parametrize("kind", sorted(set(kinds()) - {"system", "webhook", "email", "apprise", "push"}))
def test_every_provider_can_be_reached_at_another_address(kind: str) -> None:
    assert "base_url" in kinds()[kind].Settings.model_fields


def test_only_the_inbox_puts_things_into_the_inbox() -> None:
    assert [kind for kind, channel in kinds().items() if channel.to_inbox] == ["system"]


def test_an_unknown_kind_and_wrong_settings_are_named() -> None:
    with pytest.raises(NotFound):
        kind_of("pigeon")
    with pytest.raises(ValidationFailed) as caught:
        make("telegram", {"bot_token": "1:x", "surprise": 1})
    assert {found.field for found in caught.value.errors} == {
        "settings.bot_token",
        "settings.chat_id",
        "settings.surprise",
    }
