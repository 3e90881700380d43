"""Write docs/channels.md from the channels' own files: python -m scripts.channels_doc > docs/channels.md."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterable
from importlib import import_module
from typing import Any

from vabhub.channels import registry
from vabhub.channels.answers import Codes
from vabhub.channels.base import Channel
from vabhub.channels.parts import PartedChannel
from vabhub.channels.text import characters, json_bytes, utf8_bytes, utf16_units

_HEAD = """# Channels

A channel is one way out: a kind (below), a name of yours, settings. Make one on the page or by
`POST /api/channels`; `POST /api/channels/{name}/test` sends a test message the real way, before saving
too. Secrets are written and never read back. This page is made from the code
(`.venv/bin/python -m scripts.channels_doc`), so it says what the code does.
[How to add a kind](add-a-channel.md)

## What "delivered" means

Delivered is only what the provider itself calls delivered. HTTP 200 is not that signal everywhere: WeCom,
DingTalk, Feishu and others answer 200 and write the refusal into the body.

| Outcome | What it means | What follows |
|---|---|---|
| `ok` | the provider's own success signal was seen | delivered |
| `transient` | it did not get there; it may work later | a retry by the schedule |
| `rate_limited` | it did not get there, and the provider said until when | the channel waits that long |
| `permanent_channel` | the key, the bot or the address is refused | the channel is off, and you are told |
| `permanent_message` | this very message is refused, even at its simplest | dead, with the reason |
| `uncertain` | it left, and the answer did not come | a retry; a duplicate is possible only here |
| `partly` | the first parts have gone, the rest waits for its turn | it goes on, no attempt is counted |

- **Less rather than nothing.** A refused picture or card is left out and the text sent at once; refused
  markup goes as plain text.
- **Long texts** go in numbered parts of the size that the provider takes, split behind a paragraph, a line, a
  sentence or a word, never inside a character. A retry sends only the parts that have not gone.
- **Rates.** Where a provider names a limit, a channel keeps to it unless you set `rate_per_minute` and
  `burst` yourself; all workers share the count, and each part of a long text takes its turn.
- **Addresses.** No channel calls VabHub itself or a cloud's metadata service, by any notation or name, looked
  at when saved and at every connection (`VABHUB_OUTBOUND_ALLOW`). Your home network is allowed. Behind a
  proxy, names are looked at when saved only.
- **Time and size.** An exchange ends within 20 s, redirects are not followed, an answer is read to 64 KB.

## The kinds

"""

_UNITS = {
    utf8_bytes: "bytes",
    json_bytes: "bytes of JSON",
    utf16_units: "UTF-16 units",
    characters: "characters",
}
_MEANINGS = (
    ("ok", "delivered"),
    ("channel", "switches the channel off"),
    ("message", "refuses this message"),
    ("too_long", "too long, goes in smaller parts"),
    ("waits_s", "asks to wait"),
)


def as_markdown() -> str:
    """Return the page: one section a kind, in alphabetical order."""
    kinds = registry.kinds()
    contents = "".join(f"- [`{kind}`](#{kind}): {channel.label.en}\n" for kind, channel in kinds.items())
    return _HEAD + contents + "".join(_section(kind, channel) for kind, channel in kinds.items())


def _section(kind: str, channel: type[Channel]) -> str:
    pieces = [f"\n### {kind}\n\n**{channel.label.en}** · {channel.label.zh}. {channel.about.en}\n"]
    properties = channel.Settings.model_json_schema().get("properties", {})
    if properties:
        required = set(channel.Settings.model_json_schema().get("required", ()))
        pieces.append("\n| Setting | | Default | What it is |\n|---|---|---|---|\n")
        pieces += [_row(name, field, name in required) for name, field in properties.items()]
    facts = [*_sizes(channel), *_rate(kind), *_codes(channel), *_signal(channel)]
    if facts:
        pieces.append("\n" + "".join(f"- {fact}\n" for fact in facts))
    return "".join(pieces)


def _row(name: str, field: dict[str, Any], is_required: bool) -> str:
    marks = ["required"] * is_required + ["secret"] * bool(field.get("secret"))
    default = field.get("default")
    shown = "–" if default in (None, "", {}) else f"`{default}`"
    text = field["title"] + (f". {field['description']}" if "description" in field else "")
    choices = "; " + ", ".join(f"`{one}`" for one in field["enum"]) if "enum" in field else ""
    return f"| `{name}` | {', '.join(marks)} | {shown} | {_cell(text + choices)} |\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


def _sizes(channel: type[Channel]) -> Iterable[str]:
    if not issubclass(channel, PartedChannel):
        return
    unit = _UNITS.get(channel.measure, "characters as they are escaped")
    yield f"One part holds {channel.size} {unit}."
    if channel.title_size:
        yield f"Its title has a field of its own, of {channel.title_size} characters."


def _rate(kind: str) -> Iterable[str]:
    usual = registry.usual_rate(kind)
    if usual:
        yield f"Usual rate: {usual[0]:g} a minute, {usual[1]} at once."


def _codes(channel: type[Channel]) -> Iterable[str]:
    codes = getattr(import_module(channel.__module__), "CODES", None)
    if not isinstance(codes, Codes):
        return
    for name, meaning in _MEANINGS:
        listed = sorted(getattr(codes, name))
        if listed:
            yield f"`{codes.code[0]}` {', '.join(map(str, listed))}: {meaning}."
    yield f"Any other `{codes.code[0]}` may go away by itself: a retry follows."


def _signal(channel: type[Channel]) -> Iterable[str]:
    for method in (getattr(channel, "send_part", None), channel.send):
        text = (inspect.getdoc(method) or "").split("\n\n")[0] if method else ""
        if "elivered" in text:
            yield " ".join(text.split())
            break
    found = re.search(r"https://[^\s),]+", inspect.getdoc(import_module(channel.__module__)) or "")
    if found:
        yield f"The provider's own words: <{found[0]}>"


if __name__ == "__main__":
    sys.stdout.write(as_markdown())
