"""Reads and writes the YAML file of channels and templates: plain data, of a bounded size."""

from __future__ import annotations

import json
from collections.abc import Hashable
from typing import Any

import yaml

from vabhub.errors import FieldError, ValidationFailed

MOST_BYTES = 512 * 1024
MOST_PARTS = 50_000
DEEPEST = 20


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Plain data only: a date stays the text it is, and a key is given once."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - PyYAML's own way of setting it
        first: [(tag, pattern) for tag, pattern in found if tag != "tag:yaml.org,2002:timestamp"]
        for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Hashable, Any]:
        """Refuse a key that is given twice: PyYAML would drop the first without a word."""
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        seen: set[Hashable] = set()
        for number, key in enumerate(keys):
            if not isinstance(key, Hashable):
                continue  # refused below, with its line
            if key in seen:
                line = node.value[number][0].start_mark.line + 1
                raise _wrong(f"line {line}: {key!r} is given twice")
            seen.add(key)
        found: dict[Hashable, Any] = super().construct_mapping(node, deep=deep)
        return found


class _Dumper(yaml.SafeDumper):
    """Writes what a person reads: no aliases, texts of several lines as blocks."""

    def ignore_aliases(self, _data: Any) -> bool:
        """Write everything out where it stands."""
        return True


def _text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def write_yaml(content: Any) -> str:
    """Return plain data as YAML, in the order it has."""
    return yaml.dump(content, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)


def read_yaml(text: str) -> Any:
    """Return what the text holds; raises ValidationFailed naming the line.

    Aliases are refused: nine lines of them are a gigabyte. So is what could not be stored or answered as
    JSON, such as NaN or half a surrogate pair.
    """
    if len(text.encode("utf-8", "surrogatepass")) > MOST_BYTES:
        raise _wrong(f"the file is larger than {MOST_BYTES // 1024} KB")
    try:
        _look_over(text)
        content = yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader, see above
        json.dumps(content, ensure_ascii=False, allow_nan=False).encode()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        raise _wrong(f"line {mark.line + 1 if mark else 1}: {error.problem or error.context}") from error
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        raise _wrong(f"it cannot be read: {error}") from error
    return content


def _look_over(text: str) -> None:
    """Go through the text without building anything from it."""
    depth = 0
    for count, event in enumerate(yaml.parse(text, Loader=_Loader)):
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.AliasEvent):
            raise _wrong(f"line {line}: an alias (*{event.anchor}) is not taken here, write it out")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            raise _wrong(f"line {line}: nested more than {DEEPEST} deep")
        if count > MOST_PARTS:
            raise _wrong(f"line {line}: more than {MOST_PARTS:,} parts")


def _wrong(message: str) -> ValidationFailed:
    return ValidationFailed([FieldError("yaml", message, "yaml_invalid")], "The file cannot be read.")
