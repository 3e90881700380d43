"""Which numbers of a reading have a past: some of the whole machine, and one for each of its parts."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from vabhub.clock import utcnow
from vabhub.collectors.base import Snapshot, SnapshotStatus, Source
from vabhub.collectors.rates import is_virtual

Number = tuple[str, float]
Point = tuple[str, int, float]
"""Series, time in seconds since 1970, value."""

# The answer's own fields: always there, null where nothing is known.
OF_THE_WHOLE: Mapping[str, tuple[str, ...]] = {
    Source.SYSTEM: (
        "cpu_usage",
        "memory_usage",
        "disk_usage",
        "network_sent_bps",
        "network_recv_bps",
        "load_1m",
    ),
    Source.DOWNLOADS: ("download_bps", "upload_bps"),
}
NAMES = tuple(name for names in OF_THE_WHOLE.values() for name in names)

# One series a part, called `<kind>:<part>`, with the unit and the most there may be of a kind. A part beyond
# that has no past: what is kept stays bounded, whatever a machine has plugged in and out.
KINDS: Mapping[str, tuple[str, int]] = {
    "disk_free_bytes": ("bytes", 16),
    "interface_recv_bps": ("bytes/s", 8),
    "interface_sent_bps": ("bytes/s", 8),
    "temperature_c": ("°C", 16),
    "gpu_usage": ("percent", 4),
    "download_bps": ("bytes/s", 8),
    "upload_bps": ("bytes/s", 8),
}
# Parts move slower than the whole, or are looked at less closely.
PARTS_EVERY_S = 10
_UNITS = {"load_1m": "processes"}
_LONGEST = 120


def kind_of(name: str) -> str | None:
    """Return the kind of a part's series, None for one of the whole."""
    kind, colon, _ = name.partition(":")
    return kind if colon else None


def unit_of(name: str) -> str:
    """Return what a series is counted in."""
    kind = kind_of(name)
    if kind is not None:
        return KINDS[kind][0]
    return _UNITS.get(name, "bytes/s" if name.endswith("_bps") else "percent")


def part_name(kind: str, part: str) -> str:
    """Return the series of a part."""
    return f"{kind}:{clean_part(part)}"


def clean_part(part: str) -> str:
    """Return what a part is called in the database: text it can store, and not too long."""
    clean = part.encode("utf-8", "backslashreplace").decode().replace("\x00", "")
    if len(clean) > _LONGEST:
        clean = f"{clean[: _LONGEST - 9]}~{hashlib.sha256(clean.encode()).hexdigest()[:8]}"
    return clean


def points_of(snapshot: Snapshot) -> list[Point]:
    """Return the known numbers of a reading; those of the whole only when all of it was read well."""
    data = snapshot.data
    if data is None or snapshot.status not in (SnapshotStatus.OK, SnapshotStatus.STALE):
        return []
    at = int(snapshot.collected_at.timestamp())
    if snapshot.status == SnapshotStatus.OK:
        numbers = [*_of_whole(snapshot.source, data), *_of_parts(snapshot.source, data)]
    elif snapshot.source == Source.DOWNLOADS:
        # One client is away; the reading is as old as that one's, and the others answered just now.
        at, numbers = int(utcnow().timestamp()), list(_instances(data))
    else:
        numbers = []
    return [(name, at, value) for name, value in numbers]


def _of_whole(source: str, data: Mapping[str, Any]) -> Iterator[Number]:
    for name in OF_THE_WHOLE.get(source, ()):
        value = _load(data) if name == "load_1m" else data.get(name)
        if value is not None:
            yield name, float(value)


def _load(data: Mapping[str, Any]) -> float | None:
    load: list[float] | None = data.get("load")
    return load[0] if load else None


def _of_parts(source: str, data: Mapping[str, Any]) -> Iterator[Number]:
    for read in _READERS.get(source, ()):
        yield from read(data)


def _disks(data: Mapping[str, Any]) -> Iterator[Number]:
    for disk in data.get("disks") or ():
        yield from _known("disk_free_bytes", disk["mount"], disk.get("free_bytes"))


def _interfaces(data: Mapping[str, Any]) -> Iterator[Number]:
    for interface in data.get("interfaces") or ():
        if not interface.get("is_loopback") and not is_virtual(interface["name"]):
            yield from _known("interface_recv_bps", interface["name"], interface.get("recv_bps"))
            yield from _known("interface_sent_bps", interface["name"], interface.get("sent_bps"))


def _temperatures(data: Mapping[str, Any]) -> Iterator[Number]:
    for name, sensor in named_sensors(data):
        yield from _known("temperature_c", name, sensor.get("celsius"))


def named_sensors(data: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """Return the sensors by a name that only one of them has: two of one label are numbered."""
    seen: dict[str, int] = {}
    named = []
    for sensor in data.get("temperatures") or ():
        name = f"{sensor['sensor']}/{sensor['label']}"
        seen[name] = number = seen.get(name, 0) + 1
        named.append((name if number == 1 else f"{name}#{number}", sensor))
    return named


def _gpus(data: Mapping[str, Any]) -> Iterator[Number]:
    for gpu in data.get("gpus") or ():
        yield from _known("gpu_usage", str(gpu["index"]), gpu.get("usage"))


def _instances(data: Mapping[str, Any]) -> Iterator[Number]:
    for instance, client in (data.get("downloaders") or {}).items():
        if client.get("status") == "online":
            yield from _known("download_bps", instance, client.get("dl_info_speed"))
            yield from _known("upload_bps", instance, client.get("up_info_speed"))


def _known(kind: str, part: str, value: float | None) -> Iterator[Number]:
    if value is not None:
        yield part_name(kind, part), float(value)


_READERS: Mapping[str, tuple[Callable[[Mapping[str, Any]], Iterator[Number]], ...]] = {
    Source.SYSTEM: (_disks, _interfaces, _temperatures, _gpus),
    Source.DOWNLOADS: (_instances,),
}
