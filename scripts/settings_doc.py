"""Write docs/settings.md from vabhub/settings.py: python -m scripts.settings_doc > docs/settings.md."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from vabhub.setting_fields import DownloadClientSettings
from vabhub.settings import Settings

_HEAD = """# Settings

All settings are environment variables, or lines of a file `.env` beside the `Makefile` (`VABHUB_ENV_FILE`
names another). Relative paths begin there, too, wherever `vabhub` is called.
A secret can also be kept in a file: `NAME_FILE=/run/secrets/name` in place of `NAME`.
A wrong value stops the start with the variable's name and what was expected.

| Variable | Default | What it does |
|---|---|---|
"""


def as_markdown() -> str:
    """Return the page: one row a setting, in the order of the code; the download clients come last."""
    clients = DownloadClientSettings.model_fields
    ours = [name for name in Settings.model_fields if name not in clients]
    fields = [Settings.model_fields[name] for name in (*ours, *clients)]
    return _HEAD + "".join(_row(field) for field in fields if field.json_schema_extra)


def _row(field: Any) -> str:
    extra = field.json_schema_extra
    name = f"`{extra['env']}`" + (" (secret)" if extra["secret"] else "")
    return f"| {name} | {_default(field.default)} | {field.description}. |\n"


def _default(value: Any) -> str:
    if value in (None, "", ()):
        return "–"
    if isinstance(value, tuple):
        value = ",".join(value)
    return f"`{value.as_posix() if isinstance(value, Path) else value}`"


if __name__ == "__main__":
    sys.stdout.write(as_markdown())
