"""Pause, resume and delete downloads, and write down who did."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import redis

from vabhub.clock import utcnow
from vabhub.collectors.base import Source
from vabhub.collectors.downloads.base import Action
from vabhub.collectors.downloads.collector import ClientCollector
from vabhub.collectors.downloads.faults import SourceFailed
from vabhub.collectors.downloads.refresh import ask_soon
from vabhub.collectors.publish import last_snapshot
from vabhub.db import transaction
from vabhub.models import Activity

_MOST_NAMES = 20
_PAST = {Action.PAUSE: "paused", Action.RESUME: "resumed", Action.DELETE: "deleted"}
NOT_DONE = "NOT_DONE"


@dataclass(frozen=True, slots=True)
class Target:
    """One download of one instance."""

    instance: str
    id: str


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one target; without an error it was done."""

    instance: str
    id: str
    error_code: str | None = None
    error: str | None = None

    @property
    def is_refusal(self) -> bool:
        """Tell whether the client was reached and would not."""
        return self.error_code == NOT_DONE


def control(
    collectors: Mapping[str, ClientCollector],
    action: Action,
    targets: Sequence[Target],
    *,
    delete_files: bool,
    by: str,
) -> list[Result]:
    """Do it with each target, the instances at the same time, and keep an activity row an instance.

    `collectors` are the clients by instance; every target's must be among them.
    """
    wanted: dict[str, list[str]] = defaultdict(list)
    for target in dict.fromkeys(targets):
        wanted[target.instance].append(target.id)
    with ThreadPoolExecutor(max_workers=len(wanted)) as pool:
        asked = [
            pool.submit(_one_client, collectors[instance], action, ids, delete_files=delete_files)
            for instance, ids in wanted.items()
        ]
        results = [result for future in asked for result in future.result()]
    ask_soon()
    _write_down(results, action, delete_files=delete_files, by=by)
    return results


def _one_client(
    collector: ClientCollector, action: Action, ids: Sequence[str], *, delete_files: bool
) -> list[Result]:
    instance = collector.instance
    try:
        refused = collector.control(action, ids, delete_files=delete_files)
    except SourceFailed as error:
        return [Result(instance, one, error.fault.code, error.fault.text) for one in ids]
    return [
        Result(instance, one, NOT_DONE, refused[one]) if one in refused else Result(instance, one)
        for one in ids
    ]


def _write_down(results: Sequence[Result], action: Action, *, delete_files: bool, by: str) -> None:
    names = _names()
    groups: dict[tuple[str, str | None], list[Result]] = defaultdict(list)
    for result in results:
        groups[result.instance, result.error].append(result)
    with transaction() as session:
        for (instance, error), members in groups.items():
            known = [names.get((instance, one.id), one.id) for one in members]
            session.add(_activity(instance, action, known, error, by, delete_files=delete_files))


def _activity(
    instance: str, action: Action, names: Sequence[str], error: str | None, by: str, *, delete_files: bool
) -> Activity:
    shown = ", ".join(names[:2]) + (f" (+{len(names) - 2})" if len(names) > 2 else "")
    data = {
        "instance": instance,
        "action": action.value,
        "by": by,
        "total": len(names),
        "what": shown,
        "names": list(names[:_MOST_NAMES]),
        "delete_files": delete_files,
        "error": error,
    }
    done = _PAST[action]
    title = f"{by} {done} {shown} in {instance}" if error is None else f"{shown} was not {done}: {error}"
    kind = f"download.{done}" if error is None else f"download.{action.value}_failed"
    return Activity(at=utcnow(), kind=kind, source=instance, title=title, data=data)


def _names() -> dict[tuple[str, str], str]:
    try:
        snapshot = last_snapshot(Source.DOWNLOADS)
    except redis.RedisError:
        return {}  # without names the ids stand in the row
    items = (snapshot.data or {}).get("items", []) if snapshot else []
    return {(item["instance"], item["id"]): item["name"] for item in items}
