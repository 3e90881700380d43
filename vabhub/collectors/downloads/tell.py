"""Notify of what happened to downloads: each by itself, or in one when they come in crowds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy.orm import Session

from vabhub.collectors.downloads.base import DownloadItem
from vabhub.collectors.downloads.phases import Happened
from vabhub.errors import ValidationFailed
from vabhub.log import get_logger
from vabhub.notify.accept import NewNotification, accept

log = get_logger(__name__)

MOST_ONE_BY_ONE = 5
_MOST_NAMES = 20
_TYPES = {
    Happened.ADDED: ("info", "low"),
    Happened.COMPLETED: ("success", "normal"),
    Happened.FAILED: ("error", "high"),
    Happened.STALLED: ("warning", "normal"),
}


def tell(
    session: Session,
    instance: str,
    happened: Sequence[tuple[Happened, DownloadItem]],
    channels: Sequence[str],
    *,
    minutes: int,
) -> None:
    """Accept a notification for each, or one for all of a kind when there are more than five."""
    kinds: dict[Happened, list[DownloadItem]] = defaultdict(list)
    for event, item in happened:
        kinds[event].append(item)
    for event, items in kinds.items():
        crowds = [items] if len(items) > MOST_ONE_BY_ONE else [[item] for item in items]
        for crowd in crowds:
            _accept(session, _request(event, instance, crowd, channels, minutes))


def _request(
    event: Happened, instance: str, items: Sequence[DownloadItem], channels: Sequence[str], minutes: int
) -> NewNotification:
    kind, priority = _TYPES[event]
    sizes = [item.size_bytes for item in items]
    known = [size for size in sizes if size is not None]
    name = items[0].name if len(items) == 1 else f"{len(items)} downloads"
    data = {
        "event": event.value,
        "instance": instance,
        "name": name,
        "names": [item.name[:200] for item in items[:_MOST_NAMES]],
        "total": len(items),
        "size_bytes": sum(known) if len(known) == len(sizes) else None,
        "category": items[0].category if len(items) == 1 else None,
        "minutes": minutes,
    }
    words = event.value.rpartition(".")[2].capitalize()
    return NewNotification.model_validate(
        {
            "title": f"{words}: {name}"[:255],
            "message": f"{instance}: " + "\n".join(item.name[:200] for item in items[:_MOST_NAMES]),
            "type": kind,
            "priority": priority,
            "channels": list(channels),
            "template": event.value,
            "data": data,
        }
    )


def _accept(session: Session, request: NewNotification) -> None:
    try:
        accept(session, request, source="downloads")
    except ValidationFailed as error:  # a channel of the setting is gone: the inbox is always there
        log.warning("downloads.channels_unknown", reason=[fault.message for fault in error.errors])
        accept(session, request.model_copy(update={"channels": []}), source="downloads")
