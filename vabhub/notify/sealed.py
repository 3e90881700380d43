"""A channel's settings as they lie in the database: one sealed text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from vabhub.secret_box import seal, unseal


def seal_settings(settings: Mapping[str, Any]) -> str:
    """Return the settings as text that only this installation can read."""
    return seal(json.dumps(dict(settings), ensure_ascii=False, sort_keys=True))


def open_settings(sealed: str | None) -> dict[str, Any]:
    """Return the settings; raises SettingsError when SECRET_KEY was changed without keeping the old one."""
    found: dict[str, Any] = json.loads(unseal(sealed)) if sealed else {}
    return found


def changed_settings(sealed: str | None, changes: Mapping[str, Any]) -> str:
    """Return the sealed settings with `changes` in them."""
    return seal_settings(open_settings(sealed) | dict(changes))
