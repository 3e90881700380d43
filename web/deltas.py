"""What changed in a long list since the message before, worked out once a process."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from vabhub.events.topics import Topic

PATCHED = frozenset({Topic.DOWNLOADS})
PATCH_TYPE = "download_patch"
# A short list is sent whole: two forms of it would save nothing.
_LEAST_BYTES = 4096

Key = tuple[Any, Any]  # instance, id


@dataclass(frozen=True, slots=True)
class _Known:
    seq: int
    fields: dict[str, Any]
    items: dict[Key, Any]


class DownloadDeltas:
    """Remembers the last list while somebody wants changes."""

    def __init__(self) -> None:
        self._known: _Known | None = None

    def next(self, seq: int, envelope: bytes) -> tuple[int, bytes] | None:
        """Take the newest message; return the one before and the change since, None where whole is better."""
        if len(envelope) < _LEAST_BYTES:
            self._known = None
            return None
        message = json.loads(envelope)
        before, self._known = self._known, _known(seq, message["data"])
        if before is None or self._known is None or before.fields.keys() != self._known.fields.keys():
            return None
        patch = _encoded(message, before.seq, _change(before, self._known))
        return (before.seq, patch) if len(patch) * 2 < len(envelope) else None

    def forget(self) -> None:
        """Keep nothing: nobody asks for changes."""
        self._known = None


def _known(seq: int, data: dict[str, Any]) -> _Known | None:
    listed = data.get("items") or []
    items = {(item.get("instance"), item.get("id")): item for item in listed}
    if len(items) != len(listed):
        return None  # no telling them apart
    return _Known(seq, {name: value for name, value in data.items() if name != "items"}, items)


def _change(before: _Known, after: _Known) -> dict[str, Any]:
    return {
        "fields": {name: value for name, value in after.fields.items() if before.fields[name] != value},
        "items": [item for key, item in after.items.items() if before.items.get(key) != item],
        "removed": [{"instance": key[0], "id": key[1]} for key in before.items if key not in after.items],
    }


def _encoded(message: dict[str, Any], base_seq: int, change: dict[str, Any]) -> bytes:
    fields = {**message, "type": PATCH_TYPE, "base_seq": base_seq, "data": change}
    return json.dumps(fields, separators=(",", ":"), ensure_ascii=False).encode()
