"""What kinds and states of channels are called, the same as static/js/channels.js writes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from jinja2 import pass_context
from jinja2.runtime import Context

from web import i18n
from web.delivery_words import moment_text

MENDABLE = frozenset({"failing", "waiting", "held", "refused"})


@pass_context
def channel_reason(context: Context, channel: Mapping[str, Any]) -> str:
    """Return what a channel's state means, in the reader's language; the provider's words stand beside."""
    translator = i18n.Translator(context["locale"])
    state = channel.get("state")
    if state in {None, "on"}:
        return ""
    until = moment_text(channel.get("state_until"))
    key = f"channel.why.{state}" + ("_until" if state == "held" and until else "")
    return translator.text(key, time=until)


@pass_context
def kind_label(context: Context, kind: Mapping[str, Any]) -> str:
    """Return what a kind is called."""
    return (
        _in_language(context, kind.get("label")) or str(kind.get("kind", "")).replace("_", " ").capitalize()
    )


@pass_context
def kind_about(context: Context, kind: Mapping[str, Any]) -> str:
    """Return what a kind is for, and what one needs to have."""
    return _in_language(context, kind.get("about"))


def control_attributes(field: Any, control_id: str, path: str) -> dict[str, Any]:
    """Return the HTML attributes of a field's control: a `schema_form.Field`, or a mapping of the same."""
    shape, rules, required = (
        (field["shape"], field["rules"], field["required"])
        if isinstance(field, Mapping)
        else (field.shape, field.rules, field.required)
    )
    named = {"id": control_id, "data-field": path, "data-shape": shape}
    told = {"aria-describedby": f"{control_id}-hint {control_id}-error"}
    return {**named, **told, **rules, **({"aria-required": "true"} if required else {})}


def plain_numbers(numbers: Iterable[float]) -> str:
    """Return numbers as a person types them."""
    return ", ".join(f"{number:g}" for number in numbers)


def _in_language(context: Context, words: Any) -> str:
    return str(words.get(context["locale"]) or words.get("en") or "") if isinstance(words, Mapping) else ""


TEMPLATE_FUNCTIONS: dict[str, Any] = {
    "channel_reason": channel_reason,
    "control_attributes": control_attributes,
    "kind_label": kind_label,
    "plain_numbers": plain_numbers,
    "kind_about": kind_about,
    "mendable_states": sorted(MENDABLE),
}
